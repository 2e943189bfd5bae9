package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/server"
)

func replayCommand() *cobra.Command {
	var rules, zone string
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Carry a stream of NDJSON verbatims through issues and alerts, on its own clock",
		Long: `Carry a stream of NDJSON verbatims, with "at" (and "received_at" where arrival
differs), through issues and alerts in memory, on the stream's own clock. Prints
{"id","issues"} for each verbatim, {"alert"} whenever one changes its state, and
{"issues"} at the end, with those that went into others behind ("merged_into").
The same input gives the same bytes.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			loc, err := time.LoadLocation(zone)
			if err != nil {
				return usageError{fmt.Errorf("--tz: %w", err)}
			}
			rule := earshot.IssuesDefault()
			if rules != "" {
				if rule, err = readRule(rules); err != nil {
					return usageError{fmt.Errorf("--rules: %w", err)}
				}
			}
			in, err := openInput(cmd, args)
			if err != nil {
				return err
			}
			defer in.Close() //nolint:errcheck // read only
			p, err := nlp.New()
			if err != nil {
				return err
			}
			a, err := engine.NewAnalyzer(p, [32]byte{}, nil)
			if err != nil {
				return err
			}
			r, err := engine.NewReplay(a, rule, loc)
			if err != nil {
				return err
			}
			return replay(cmd.Context(), r, in, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&rules, "rules", "", "file with an array of rules; without it the default rule")
	cmd.Flags().StringVar(&zone, "tz", "UTC", "time zone of the times in the reasons of alerts")
	return cmd
}

// readRule reads the rule of a replay. For now that is one, and it watches issues.
func readRule(path string) (earshot.Rule, error) {
	rule := earshot.IssuesDefault()
	body, err := os.ReadFile(path)
	if err != nil {
		return rule, err
	}
	var rules []json.RawMessage
	if err := json.Unmarshal(body, &rules); err != nil {
		return rule, fmt.Errorf("%s is not an array of rules", path)
	}
	if len(rules) != 1 {
		return rule, fmt.Errorf("%s has %d rules; a replay takes one", path, len(rules))
	}
	d := json.NewDecoder(bytes.NewReader(rules[0]))
	d.DisallowUnknownFields()
	if err := d.Decode(&rule); err != nil {
		return rule, fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case rule.Subject.Type != "issue" || rule.Subject.ID != "" || rule.Subject.Q != "" || rule.Measure != "count":
		return rule, fmt.Errorf(`%s: a replay knows rules of subject {"type": "issue"} and measure "count"`, path)
	case !slices.Contains([]string{"low", "normal", "high"}, rule.Sensitivity):
		return rule, fmt.Errorf("%s: sensitivity is not one of low, normal, high", path)
	}
	if rule.ID == "" {
		rule.ID = rule.Name
	}
	return rule, nil
}

// What is printed of a replay.
type (
	replayedVerbatim struct {
		ID     string   `json:"id"`
		Issues []string `json:"issues"`
	}
	replayedAlert struct {
		Alert *earshot.Alert `json:"alert"`
	}
	replayedEnd struct {
		Issues []*earshot.Issue `json:"issues"`
	}
)

// replay prints what becomes of the lines of in. A line that is refused gives
// {"line": n, "error": {problem}} in its place.
func replay(ctx context.Context, r *engine.Replay, in io.Reader, out io.Writer) error {
	w := bufio.NewWriterSize(out, 1<<16)
	refused := false
	put := func(v any) error {
		b, err := marshal(v)
		if err == nil {
			_, err = w.Write(append(b, '\n'))
		}
		return err
	}
	err := inChunks(ctx, in, func(lines []numbered) error {
		items := prepare(r, lines)
		for i := range lines {
			l := &lines[i]
			var before, after []*earshot.Alert
			var names []string
			if l.err == nil {
				before, names, after, l.err = r.Place(items[i])
			}
			var out []any
			for _, a := range before {
				out = append(out, replayedAlert{a})
			}
			if l.err != nil {
				refused = true
				out = append(out, refusal{l.number, server.ProblemOf(l.err, "")})
			} else {
				out = append(out, replayedVerbatim{items[i].ID, names})
			}
			for _, a := range after {
				out = append(out, replayedAlert{a})
			}
			for _, v := range out {
				if err := put(v); err != nil {
					return err
				}
			}
		}
		return w.Flush()
	})
	if err != nil {
		return err
	}
	if err := put(replayedEnd{r.Issues()}); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if refused {
		return errRefused
	}
	return nil
}

// prepare analyses lines, several at once.
func prepare(r *engine.Replay, lines []numbered) []*engine.ReplayItem {
	items := make([]*engine.ReplayItem, len(lines))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range lines {
		l := &lines[i]
		if l.err != nil {
			continue
		}
		g.Go(func() error {
			var d ingest.Draft
			if d, l.err = ingest.DecodeVerbatim(l.in, ingest.Options{ID: true, Arrival: true}); l.err == nil {
				items[i], l.err = r.Prepare(d, fmt.Sprintf("line-%d", l.number))
			}
			return nil
		})
	}
	_ = g.Wait() // the goroutines return no error
	return items
}
