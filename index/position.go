package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Schema is the form of the documents in the index. It changes when their
// fields, their terms or the folding of terms do; an index of another schema is
// set aside and built again.
const Schema = 1

// A position is the file in which a tenant's index remembers what is surely on
// disk. It is written seldom: what comes after it is absorbed once more.
type position struct {
	Schema int      `json:"schema"`
	Seq    uint64   `json:"seq"`
	Shards []string `json:"shards"` // those that must be there
}

const positionFile = "position"

func readPosition(dir string) (p position, err error) {
	b, err := os.ReadFile(filepath.Join(dir, positionFile))
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, errors.New("position is not readable")
	}
	if p.Schema != Schema {
		return p, fmt.Errorf("schema %d is not %d", p.Schema, Schema)
	}
	return p, nil
}

// write replaces the file at once and for good.
func (p position) write(dir string) error {
	slices.Sort(p.Shards)
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, positionFile)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(dir)
}
