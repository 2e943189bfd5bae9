package index

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	blevindex "github.com/blevesearch/bleve_index_api"
)

// A shard is the bleve index of one month.
type shard struct {
	month    string    // "2026-11"
	from, to time.Time // the month
	index    bleve.Index
	core     blevindex.Index // what index wraps
	path     string
}

const monthLayout = "2006-01"

// newPrefix begins the name of a shard's folder until it is complete.
const newPrefix = ".new-"

// bleveOptions are for every opening of a shard. Batches don't wait for the disk (we do, where it matters, by
// the callback of a batch), and the persister naps so that it writes several batches as one file. Small
// segments are merged late: with bleve's own plan, merging them took more time than all the rest.
var bleveOptions = map[string]any{
	"unsafe_batch":           true,
	"numSnapshotsToKeep":     1,
	"bolt_timeout":           "1s",
	"asyncErrorCallbackName": asyncErrorCallback,
	"scorchPersisterOptions": map[string]any{"PersisterNapTimeMSec": 500},
	"scorchMergePlanOptions": map[string]any{"MaxSegmentsPerTier": 6, "SegmentsPerMergeTask": 10, "FloorSegmentSize": 200,
		"MaxSegmentSize": 5_000_000, "TierGrowth": 10.0, "ReclaimDeletesWeight": 2.0},
}

// createShard makes an empty shard in a temporary folder, since bleve syncs
// neither its meta file nor its folders, and renames it when all is on disk.
func createShard(parent, month string) error {
	tmp := filepath.Join(parent, newPrefix+month)
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	m := bleve.NewIndexMapping()
	m.DefaultMapping = mapping.NewDocumentDisabledMapping()
	m.IndexDynamic, m.StoreDynamic, m.DocValuesDynamic = false, false, false
	ix, err := bleve.NewUsing(tmp, m, scorch.Name, scorch.Name, map[string]any{})
	if err != nil {
		return err
	}
	if err := ix.Close(); err != nil {
		return err
	}
	err = filepath.WalkDir(tmp, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncDir(path)
	})
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(parent, month)); err != nil {
		return err
	}
	return syncDir(parent)
}

// openShard verifies and opens a shard. onError is told of errors in bleve's own goroutines.
func openShard(parent, month string, budget *verifyBudget, onError func(error)) (*shard, error) {
	from, err := time.Parse(monthLayout, month)
	if err != nil {
		return nil, err
	}
	s := &shard{month: month, from: from, to: from.AddDate(0, 1, 0), path: filepath.Join(parent, month)}
	asyncErrors.Store(filepath.Join(s.path, "store"), onError)
	err = guard(func() error {
		segments, err := verifyShard(s.path, budget)
		if err != nil {
			return err
		}
		if s.index, err = bleve.OpenUsing(s.path, bleveOptions); err != nil {
			return err
		}
		if s.core, err = s.index.Advanced(); err != nil {
			return err
		}
		snap, err := s.snapshot()
		if err != nil {
			return err
		}
		defer func() { _ = snap.Close() }()
		if n := len(snap.Segments()); n < segments { // bleve falls back to an older snapshot without a word
			return fmt.Errorf("%d of %d segments could be read", n, segments)
		}
		return nil
	})
	if err != nil {
		_ = s.close()
		return nil, fmt.Errorf("open shard %s: %w", month, err)
	}
	return s, nil
}

// snapshot gives the shard as it is now. It must be closed.
func (s *shard) snapshot() (*scorch.IndexSnapshot, error) {
	r, err := s.core.Reader()
	if err != nil {
		return nil, err
	}
	snap, ok := r.(*scorch.IndexSnapshot)
	if !ok || snap == nil {
		return nil, errors.New("the shard is closed")
	}
	return snap, nil
}

// has says whether a verbatim is in the shard.
func (s *shard) has(ids []string) (found []string, err error) {
	snap, err := s.snapshot()
	if err != nil {
		return nil, err
	}
	defer func() { _ = snap.Close() }()
	for _, id := range ids {
		internal, err := snap.InternalID(id)
		if err != nil {
			return nil, err
		}
		if internal != nil {
			found = append(found, id)
		}
	}
	return found, nil
}

func (s *shard) close() error {
	asyncErrors.Delete(filepath.Join(s.path, "store"))
	if s.index == nil {
		return nil
	}
	return guard(s.index.Close)
}

// bleve tells errors of its goroutines to callbacks it knows by name, with the path of the store.
const asyncErrorCallback = "earshot"

var asyncErrors sync.Map // path of a store → func(error)

func init() {
	scorch.RegistryAsyncErrorCallbacks[asyncErrorCallback] = func(err error, path string) {
		if f, ok := asyncErrors.Load(filepath.Clean(path)); ok {
			f.(func(error))(err)
		}
	}
}

// isDamage says whether an error of bleve's goroutines means that the shard can't go on. Others, as when the
// disk is full, are tried again.
func isDamage(err error) bool { return errors.Is(err, scorch.ErrAsyncPanic) }

// syncDir makes a folder's entries, or a file, survive a power cut.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return f.Sync()
}

// setPanicOnFault makes a fault in a mapped file a panic until what it gives is called.
func setPanicOnFault() (restore func()) {
	before := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(before) }
}
