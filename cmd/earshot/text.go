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

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/server"
)

// maxLine is the size of one line of the commands that read text.
const maxLine = 4 << 20

// chunk is how many lines are worked on at once. Their order is kept.
const chunk = 256

// A lineFunc turns one line into what is printed for it. Its error is the sender's.
type lineFunc func(line []byte) (any, error)

// textCommand is a command that reads lines from a file or standard input and
// prints one JSON value for each, in their order.
func textCommand(use, short string, prepare func(cmd *cobra.Command) (lineFunc, error)) *cobra.Command {
	return &cobra.Command{
		Use:   use + " [FILE]",
		Short: short,
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := prepare(cmd)
			if err != nil {
				return err
			}
			in, err := openInput(cmd, args)
			if err != nil {
				return err
			}
			defer in.Close() //nolint:errcheck // read only
			return eachLine(cmd.Context(), in, cmd.OutOrStdout(), f)
		},
	}
}

// openInput opens the file that is the first argument; standard input if there
// is none, or it is "-".
func openInput(cmd *cobra.Command, args []string) (io.ReadCloser, error) {
	if len(args) == 0 || args[0] == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	file, err := os.Open(args[0])
	if err != nil {
		return nil, usageError{err}
	}
	return file, nil
}

// inChunks hands the lines of in to work, so many at a time. A line that is too
// long has that as its error.
func inChunks(ctx context.Context, in io.Reader, work func([]numbered) error) error {
	var lines []numbered
	for line, err := range ingest.Lines(in, maxLine) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && earshot.CodeOf(err) != earshot.TooLarge {
			return err
		}
		lines = append(lines, numbered{number: line.Number, in: append([]byte(nil), line.Data...), err: err})
		if len(lines) == chunk {
			if err := work(lines); err != nil {
				return err
			}
			lines = lines[:0]
		}
	}
	return work(lines)
}

// eachLine maps the lines of in through f, several at once. A line that is
// refused gives {"line": n, "error": {problem}} in its place.
func eachLine(ctx context.Context, in io.Reader, out io.Writer, f lineFunc) error {
	w := bufio.NewWriterSize(out, 1<<16)
	refused := false
	err := inChunks(ctx, in, func(lines []numbered) error {
		var g errgroup.Group
		g.SetLimit(runtime.GOMAXPROCS(0))
		for from := 0; from < len(lines); from += chunk / 8 {
			part := lines[from:min(from+chunk/8, len(lines))]
			g.Go(func() error {
				for i := range part {
					part[i].work(f)
				}
				return nil
			})
		}
		_ = g.Wait() // the goroutines return no error
		for _, l := range lines {
			refused = refused || l.refused
			if _, err := w.Write(append(l.out, '\n')); err != nil {
				return err
			}
		}
		return w.Flush()
	})
	if err != nil {
		return err
	}
	if refused {
		return errRefused
	}
	return nil
}

// A numbered line, and what is printed for it.
type numbered struct {
	number  int
	in      []byte
	err     error
	out     []byte
	refused bool
}

// A refusal stands in the place of a line's answer.
type refusal struct {
	Line  int `json:"line"`
	Error any `json:"error"`
}

func (l *numbered) work(f lineFunc) {
	var value any
	if l.err == nil {
		value, l.err = f(l.in)
	}
	if l.err == nil {
		l.out, l.err = marshal(value)
	}
	if l.err != nil {
		l.refused = true
		l.out, _ = marshal(refusal{l.number, server.ProblemOf(l.err, "")})
	}
}

// marshal gives one line of JSON without HTML escapes: "<" is a customer's "<".
func marshal(v any) ([]byte, error) {
	if m, ok := v.(json.Marshaler); ok {
		return m.MarshalJSON() // a record, in its wire form already
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func analyzeCommand() *cobra.Command {
	var plain bool
	cmd := textCommand("analyze", "Analyse NDJSON objects, or plain lines, and print each analysis", func(cmd *cobra.Command) (lineFunc, error) {
		p, err := nlp.New()
		if err != nil {
			return nil, err
		}
		a, err := engine.NewAnalyzer(p, [32]byte{}, nil)
		if err != nil {
			return nil, err
		}
		return func(line []byte) (any, error) {
			var d ingest.Draft
			if plain {
				text, cleaned := nlp.Clean(string(line))
				d = ingest.Draft{Cleaned: cleaned, Verbatim: earshot.Verbatim{Turns: []earshot.Turn{{Speaker: "customer", Text: text}}}}
			} else if d, err = ingest.DecodeVerbatim(line, ingest.Options{ID: true}); err != nil {
				return nil, err
			}
			got := a.Analyze(cmd.Context(), []ingest.Draft{d})[0]
			return got.Record, got.Err
		}, nil
	})
	cmd.Flags().BoolVar(&plain, "lines", false, "the input is plain text, one verbatim a line")
	return cmd
}

// A text is the input of the commands that show one step of the analysis.
type text struct {
	ID   json.RawMessage `json:"id,omitempty"`
	Text *string         `json:"text"`
}

func readText(line []byte) (text, string, error) {
	var t text
	if err := json.Unmarshal(line, &t); err != nil {
		return t, "", earshot.Errorf(earshot.Malformed, "the line is not a JSON object with id and text")
	}
	if t.Text == nil {
		return t, "", &earshot.Error{Code: earshot.Invalid, Message: "invalid text",
			Fields: []earshot.FieldError{{Pointer: "/text", Code: "required", Detail: "text is required"}}}
	}
	if len(*t.Text) > earshot.MaxText {
		return t, "", &earshot.Error{Code: earshot.Invalid, Message: "invalid text", Fields: []earshot.FieldError{{Pointer: "/text",
			Code: "too_long", Limit: earshot.MaxText, Detail: fmt.Sprintf("text has %d bytes; the limit is %d", len(*t.Text), earshot.MaxText)}}}
	}
	clean, _ := nlp.Clean(*t.Text)
	return t, clean, nil
}

// stepCommand is a command that shows one step of the analysis of {"id", "text"} lines.
func stepCommand(use, short string, step func(p *nlp.Pipeline, id json.RawMessage, text string) any) *cobra.Command {
	return textCommand(use, short, func(*cobra.Command) (lineFunc, error) {
		p, err := nlp.New()
		if err != nil {
			return nil, err
		}
		return func(line []byte) (any, error) {
			t, clean, err := readText(line)
			if err != nil {
				return nil, err
			}
			return step(p, t.ID, clean), nil
		}, nil
	})
}

func tokensCommand() *cobra.Command {
	type token struct {
		Text string `json:"text"`
		Norm string `json:"norm"`
		earshot.Span
	}
	type result struct {
		ID     json.RawMessage `json:"id,omitempty"`
		Lang   string          `json:"lang"`
		Tokens []token         `json:"tokens"`
	}
	return stepCommand("tokens", `Cut {"id","text"} lines into words`, func(p *nlp.Pipeline, id json.RawMessage, text string) any {
		r := result{ID: id, Tokens: []token{}}
		_, r.Lang = p.Langs(text, "")
		for _, t := range p.Tokens(text) {
			r.Tokens = append(r.Tokens, token{text[t.Start:t.End], t.Norm, t.Span})
		}
		return r
	})
}

func sentencesCommand() *cobra.Command {
	type result struct {
		ID        json.RawMessage `json:"id,omitempty"`
		Sentences []earshot.Span  `json:"sentences"`
	}
	return stepCommand("sentences", `Cut {"id","text"} lines into sentences`, func(p *nlp.Pipeline, id json.RawMessage, text string) any {
		return result{id, append([]earshot.Span{}, p.Sentences(text)...)}
	})
}

func redactCommand() *cobra.Command {
	type result struct {
		ID         json.RawMessage     `json:"id,omitempty"`
		Text       string              `json:"text"`
		Redactions []earshot.Redaction `json:"redactions"`
	}
	return textCommand("redact", `Replace what is personal in {"id","text"} lines`, func(*cobra.Command) (lineFunc, error) {
		r, err := nlp.NewRedactor()
		if err != nil {
			return nil, err
		}
		return func(line []byte) (any, error) {
			t, clean, err := readText(line)
			if err != nil {
				return nil, err
			}
			texts, found := r.Redact([]string{clean})
			return result{t.ID, texts[0], append([]earshot.Redaction{}, found[0]...)}, nil
		}, nil
	})
}
