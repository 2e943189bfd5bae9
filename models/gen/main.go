// Gen writes the data files of package models from public word lists:
//
//	go run ./models/gen -jieba ../shared/data/segmentation/lexicon-zh/jieba \
//	    -opencc ../shared/data/segmentation/lexicon-zh/opencc \
//	    -thai ../shared/data/segmentation/lexicon-th/pythainlp
//
// It writes han.txt, zh.txt and th.txt into -out and says in MANIFEST.json what
// they were made from. An input whose SHA-256 is not the one in MANIFEST.json is
// refused, unless -accept is given. The same inputs give the same bytes.
package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An Entry of MANIFEST.json says what one data file is and where it came from.
type Entry struct {
	File    string  `json:"file"`
	Name    string  `json:"name"`
	Version string  `json:"version"`
	SHA256  string  `json:"sha256"`
	Licence string  `json:"licence"`
	Source  string  `json:"source"`
	Inputs  []Input `json:"inputs,omitempty"`
}

// An Input is a file that a data file was made from.
type Input struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

func main() {
	var g generator
	flag.StringVar(&g.jieba, "jieba", "", "folder with dict.txt.small.gz and dict.zh_TW.txt.gz")
	flag.StringVar(&g.opencc, "opencc", "", "folder with TSCharacters.txt.gz, STCharacters.txt.gz, HKVariants.txt.gz and TWVariants.txt.gz")
	flag.StringVar(&g.thai, "thai", "", "folder with words_th.txt.gz, tnc_freq.tsv.gz and ttc_freq.tsv.gz")
	flag.StringVar(&g.out, "out", "models", "folder to write to")
	flag.BoolVar(&g.accept, "accept", false, "accept inputs that are not those of MANIFEST.json")
	flag.Parse()
	if err := g.run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

type generator struct {
	jieba, opencc, thai, out string
	accept                   bool
	known                    map[string]string // input → SHA-256 in MANIFEST.json
	inputs                   []Input           // read since the last file was written
	fold                     map[rune]rune
	simplified               map[rune]bool // written in Simplified text
}

func (g *generator) run() error {
	path := filepath.Join(g.out, "MANIFEST.json")
	var entries []Entry
	if data, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(data, &entries); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
	g.known = map[string]string{}
	for _, e := range entries {
		for _, in := range e.Inputs {
			g.known[in.File] = in.SHA256
		}
	}
	for _, step := range []struct {
		entry Entry
		lines func() ([]string, error)
	}{
		{Entry{File: "han.txt", Name: "earshot-han", Version: "1", Licence: "Apache-2.0", Source: "OpenCC"}, g.han},
		{Entry{File: "zh.txt", Name: "earshot-words-zh", Version: "1", Licence: "MIT", Source: "jieba (fxsjy/jieba, ldkrsi/jieba-zh_TW)"}, g.chinese},
		{Entry{File: "th.txt", Name: "earshot-words-th", Version: "1", Licence: "CC0-1.0", Source: "PyThaiNLP"}, g.thaiWords},
	} {
		lines, err := step.lines()
		if err != nil {
			return fmt.Errorf("make %s: %w", step.entry.File, err)
		}
		e := step.entry
		data := e.Name + "-" + e.Version + "\n" + strings.Join(lines, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(g.out, e.File), []byte(data), 0o644); err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(data))
		e.SHA256, e.Inputs, g.inputs = hex.EncodeToString(sum[:]), g.inputs, nil
		entries = slices.DeleteFunc(entries, func(old Entry) bool { return old.File == e.File })
		entries = append(entries, e)
		fmt.Printf("%s: %d lines, %d bytes\n", e.File, len(lines), len(data))
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.File, b.File) })
	data, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// lines reads a gzipped text file, without comments and blank lines, and notes it as an input.
func (g *generator) lines(dir, name string) ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	hash := hex.EncodeToString(sum[:])
	if known := g.known[name]; known != "" && known != hash && !g.accept {
		return nil, fmt.Errorf("%s is not the file of MANIFEST.json (SHA-256 %s, want %s); -accept takes it", name, hash, known)
	}
	g.inputs = append(g.inputs, Input{name, hash})
	z, err := gzip.NewReader(strings.NewReader(string(raw)))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var lines []string
	sc := bufio.NewScanner(strings.NewReader(string(text)))
	for sc.Scan() {
		line := strings.TrimPrefix(strings.TrimRight(sc.Text(), " \r"), "\ufeff")
		if line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines, sc.Err()
}
