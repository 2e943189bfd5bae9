# Everything a person does with this repository. `make test` is what CI runs.

export CGO_ENABLED ?= 0
GO ?= go
GOLANGCI_VERSION := v2.15.0
BIN := bin/earshot

.PHONY: build run test lint fmt-check unit race fuzz bench prove eval eval-issues eval-alerts clean need-go

## build: the binary, in bin/
build: need-go
	$(GO) build -trimpath -o $(BIN) ./cmd/earshot

## run: build and serve on http://127.0.0.1:8080 with its data in ./data
run: build
	$(BIN) serve

need-go:
	@command -v $(GO) >/dev/null 2>&1 || { echo "earshot needs Go 1.26 or newer, and there is no 'go' command: see https://go.dev/dl/"; exit 1; }
	@v=$$($(GO) env GOVERSION | sed 's/^go//'); \
	 major=$${v%%.*}; rest=$${v#*.}; minor=$${rest%%[!0-9]*}; \
	 if [ "$$major" -lt 1 ] || { [ "$$major" -eq 1 ] && [ "$$minor" -lt 26 ]; }; then \
	   echo "earshot needs Go 1.26 or newer; this is Go $$v"; exit 1; fi

## test: format, lint, every test (with the race detector where there is a C compiler)
test: need-go fmt-check lint unit

fmt-check:
	@out=$$(gofmt -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go')); \
	 if [ -n "$$out" ]; then echo "not formatted (run gofmt -w):"; echo "$$out"; exit 1; fi

LINT := bin/golangci-lint-$(GOLANGCI_VERSION)

lint: $(LINT)
	$(GO) vet ./...
	$(LINT) run ./...

# The linter is built once, from its pinned module, into bin/.
$(LINT): | need-go
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv bin/golangci-lint $(LINT)

# Packages with goroutines are tested under the race detector, which needs a C
# compiler; everything else is tested as it ships.
RACE := ./store/... ./index/... ./webhook/... ./engine/... ./server/... ./cmd/...

unit:
	@if command -v cc >/dev/null 2>&1; then \
	   CGO_ENABLED=1 $(GO) test -race -timeout 15m $(RACE) && \
	   $(GO) test -timeout 10m $$($(GO) list ./... | grep -v -E '/(store|index|webhook|engine|server|cmd)(/|$$)'); \
	 else \
	   echo "no C compiler: testing without the race detector"; $(GO) test -timeout 15m ./...; \
	 fi

## fuzz: every decoder and parser, a minute each
FUZZTIME ?= 60s
fuzz: need-go
	@set -e; for pkg in $$($(GO) list ./...); do \
	   for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	     echo "== $$pkg $$f"; $(GO) test $$pkg -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME); done; done

## prove: the kill -9 test and the judges, again and again
PROVE ?= 5
prove: need-go
	$(GO) test ./cmd/earshot -run TestKill -count $(PROVE) -v -timeout 60m
	$(GO) test ./query ./index -run TestJudge -count $(PROVE)
	EARSHOT_SEEDS=40 $(GO) test ./engine -run Anywhere -timeout 30m

## eval: what the baseline gets right on the texts written for it, and every miss
eval: need-go
	$(GO) test ./nlp -run TestScores -v
	@cat testdata/quality/scores.txt

## eval-issues: clusters against true topics; DATA is the folder of data sets
DATA ?= data
eval-issues: need-go
	$(GO) test ./issues -run TestIssues -data $(abspath $(DATA)) -v

## eval-alerts: 600 simulated series over 8 weeks, z > 3 and EWMA beside
eval-alerts: need-go
	EARSHOT_EVAL=1 $(GO) test ./alert -run TestCalibration -v -timeout 20m

clean:
	rm -rf bin

## bench: the whole service from outside, then each package's own benchmarks
bench: need-go
	$(GO) test ./cmd/earshot -run '^$$' -bench "Service|SpikeDuringImport" -benchtime 1x -timeout 20m
	$(GO) test ./nlp ./query ./index ./store ./ingest ./alert ./engine -run '^$$' -bench . -benchtime 1s -timeout 20m
