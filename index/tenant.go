package index

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/document"
	"golang.org/x/sync/errgroup"

	"github.com/earshot-cx/earshot"
)

// maxUnwritten is how many documents may be in memory only. Put waits for the disk when there are more.
const maxUnwritten = 10_000

// A tenant is the index of one tenant. Locks are taken in the order in which they stand here.
type tenant struct {
	name string
	dir  string
	b    *Bleve

	writing sync.Mutex // held by put, reset and close

	saving sync.Mutex // guards saved and the position file
	saved  uint64     // the seq in the file

	mu     sync.RWMutex // guards shards; held while they change, or change in a way that must be seen at once
	shards map[string]*shard

	harm    sync.Mutex    // guards damage
	damage  error         // why nothing can be searched
	damaged chan struct{} // closed when damage is set; replaced by reset

	place    sync.Mutex    // guards what follows
	seq      uint64        // of the last put
	batches  []*batch      // that are not on disk, oldest first
	docs     int           // in batches
	durable  uint64        // the last seq that is on disk, with all before
	written  chan struct{} // has one when batches got fewer
	lastWarn time.Time     // of an error of bleve's that will be tried again
}

// A batch is what one put gave to shards.
type batch struct {
	seq  uint64
	docs int
	left int // shards that have not written it
}

func (b *Bleve) newTenant(name string) *tenant {
	return &tenant{name: name, dir: filepath.Join(b.dir, name), b: b, shards: map[string]*shard{},
		damaged: make(chan struct{}), written: make(chan struct{}, 1)}
}

// open opens all shards of a folder. An error other than errInUse means that it is not sound.
func (t *tenant) open() error {
	p, err := readPosition(t.dir)
	if err != nil {
		return err
	}
	t.seq, t.durable, t.saved = p.Seq, p.Seq, p.Seq
	entries, err := os.ReadDir(t.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if len(e.Name()) > len(newPrefix) && e.Name()[:len(newPrefix)] == newPrefix {
			if err := os.RemoveAll(filepath.Join(t.dir, e.Name())); err != nil {
				return err
			}
			continue
		}
		if _, err := time.Parse(monthLayout, e.Name()); err != nil {
			continue
		}
		s, err := openShard(t.dir, e.Name(), &t.b.budget, t.asyncError)
		if err != nil {
			return err
		}
		t.shards[s.month] = s
	}
	for _, month := range p.Shards {
		if t.shards[month] == nil {
			return fmt.Errorf("shard %s is missing", month)
		}
	}
	return nil
}

// put absorbs a batch: what comes new into a shard, and what leaves another because it is gone or was said in another month.
func (t *tenant) put(ctx context.Context, b Batch) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	if err := t.broken(); err != nil {
		return err
	}
	if err := t.waitForDisk(ctx, maxUnwritten); err != nil {
		return err
	}
	docs, err := t.documents(b.Put)
	if err != nil {
		return err
	}
	changes, moves, err := t.changes(b, docs)
	if err != nil {
		return err
	}
	if err := t.commit(b, changes, moves); err != nil {
		return t.failed(err)
	}
	return nil
}

// commit gives changes to their shards.
func (t *tenant) commit(b Batch, changes map[*shard]*bleve.Batch, moves bool) error {
	if moves { // no search must find a verbatim in both months or in none
		t.mu.Lock()
		defer t.mu.Unlock()
	}
	own := &batch{seq: b.Seq, docs: len(b.Put), left: len(changes)}
	t.begin(own)
	for s, change := range changes {
		change.SetPersistedCallback(func(err error) {
			if err == nil {
				t.persisted(own)
			}
		})
		if err := t.apply(s, change); err != nil {
			return err // own stays among the batches, so the position never passes it
		}
	}
	t.place.Lock()
	defer t.place.Unlock()
	t.seq = max(t.seq, b.Seq)
	return nil
}

// documents makes the documents of records on all cores.
func (t *tenant) documents(records []*earshot.Record) ([]*document.Document, error) {
	docs := make([]*document.Document, len(records))
	var g errgroup.Group
	n := runtime.GOMAXPROCS(0)
	for w := range n {
		g.Go(func() error {
			return guard(func() error {
				for i := w; i < len(records); i += n {
					docs[i] = newDocument(records[i], t.b.tok)
				}
				return nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("make documents: %w", err)
	}
	return docs, nil
}

// changes sorts a batch by shard. moves says whether a verbatim goes from one shard to another.
func (t *tenant) changes(b Batch, docs []*document.Document) (changes map[*shard]*bleve.Batch, moves bool, err error) {
	changes = map[*shard]*bleve.Batch{}
	change := func(s *shard) *bleve.Batch {
		if changes[s] == nil {
			changes[s] = s.index.NewBatch()
		}
		return changes[s]
	}
	home := map[string]*shard{} // where a verbatim stays
	var leave []string          // what may be elsewhere
	for i, r := range b.Put {
		s, err := t.shard(r.Verbatim.At.UTC().Format(monthLayout))
		if err != nil {
			return nil, false, err
		}
		if err := change(s).IndexAdvanced(docs[i]); err != nil {
			return nil, false, err
		}
		if r.Verbatim.Revision > 1 {
			home[r.Verbatim.ID] = s
			leave = append(leave, r.Verbatim.ID)
		}
	}
	leave = append(leave, b.Gone...)
	if len(leave) == 0 {
		return changes, false, nil
	}
	for _, s := range t.shards {
		var found []string
		err := guard(func() (err error) {
			found, err = s.has(leave)
			return err
		})
		if err != nil {
			return nil, false, t.failed(err)
		}
		for _, id := range found {
			if home[id] != s {
				change(s).Delete(id)
				moves = moves || home[id] != nil
			}
		}
	}
	return changes, moves, nil
}

// shard gives the shard of a month, new if need be. The caller holds writing.
func (t *tenant) shard(month string) (*shard, error) {
	if s := t.shards[month]; s != nil {
		return s, nil
	}
	if len(t.shards) == 0 { // the schema is told before there is anything to read by it
		if err := os.MkdirAll(t.dir, 0o700); err != nil {
			return nil, err
		}
		if err := (position{Schema: Schema}).write(t.dir); err != nil {
			return nil, err
		}
		if err := syncDir(t.b.dir); err != nil {
			return nil, err
		}
	}
	if err := guard(func() error { return createShard(t.dir, month) }); err != nil {
		return nil, fmt.Errorf("create shard %s: %w", month, err)
	}
	s, err := openShard(t.dir, month, &t.b.budget, t.asyncError)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shards[month] = s
	return s, nil
}

// apply gives a batch to a shard. It does not wait for a shard whose goroutines have died.
func (t *tenant) apply(s *shard, change *bleve.Batch) error {
	done := make(chan error, 1)
	go func() { done <- guard(func() error { return s.index.Batch(change) }) }()
	select {
	case err := <-done:
		return err
	case <-t.damaged:
		return errors.New("the shard has stopped")
	}
}

// begin remembers a batch until it is on disk.
func (t *tenant) begin(b *batch) {
	t.place.Lock()
	defer t.place.Unlock()
	t.batches = append(t.batches, b)
	t.docs += b.docs
	t.advance()
}

// persisted is told that one shard has a batch on disk.
func (t *tenant) persisted(b *batch) {
	t.place.Lock()
	defer t.place.Unlock()
	b.left--
	t.advance()
}

// advance moves durable over the batches that are on disk. The caller holds place.
func (t *tenant) advance() {
	for len(t.batches) > 0 && t.batches[0].left == 0 {
		t.durable = max(t.durable, t.batches[0].seq)
		t.docs -= t.batches[0].docs
		t.batches = t.batches[1:]
	}
	select {
	case t.written <- struct{}{}:
	default:
	}
}

// waitForDisk waits until at most n documents are in memory only.
func (t *tenant) waitForDisk(ctx context.Context, n int) error {
	for {
		t.place.Lock()
		docs, batches := t.docs, len(t.batches)
		t.place.Unlock()
		if docs < n || batches == 0 {
			return nil
		}
		select {
		case <-t.written:
		case <-t.damaged:
			return t.broken()
		case <-ctx.Done():
			return earshot.Errorf(earshot.Unavailable, "the index waits for the disk")
		}
	}
}

// absorbed is the seq of the last put.
func (t *tenant) absorbed() uint64 {
	t.place.Lock()
	defer t.place.Unlock()
	return t.seq
}

// save writes the position if it has moved. It reads the seq before the shards: none that the seq needs is left out.
func (t *tenant) save() error {
	t.saving.Lock()
	defer t.saving.Unlock()
	t.place.Lock()
	seq := t.durable
	t.place.Unlock()
	t.mu.RLock()
	shards := slices.Collect(maps.Keys(t.shards))
	t.mu.RUnlock()
	if seq == t.saved || len(shards) == 0 {
		return nil
	}
	if err := (position{Schema: Schema, Seq: seq, Shards: shards}).write(t.dir); err != nil {
		return err
	}
	t.saved = seq
	return nil
}

// broken is the error of a tenant whose index is damaged.
func (t *tenant) broken() error {
	t.harm.Lock()
	defer t.harm.Unlock()
	if t.damage == nil {
		return nil
	}
	return partial()
}

// failed marks the index as damaged for an error of bleve's, tells OnDamage once, and gives the caller's error.
func (t *tenant) failed(err error) error {
	t.harm.Lock()
	first := t.damage == nil
	if first {
		t.damage = err
		close(t.damaged)
	}
	t.harm.Unlock()
	if first {
		t.b.log.Error("index is damaged", "tenant", t.name, "cause", err)
		if t.b.onDamage != nil {
			t.b.onDamage(t.name, err)
		}
	}
	return partial()
}

func partial() error {
	return earshot.Errorf(earshot.PartialIndex, "a part of the index can't answer; it is being built again")
}

// asyncError is told of errors in bleve's goroutines.
func (t *tenant) asyncError(err error) {
	if isDamage(err) {
		go func() { _ = t.failed(errors.New("bleve stopped")) }() // the caller may hold locks of the shard
		return
	}
	t.place.Lock()
	defer t.place.Unlock()
	if time.Since(t.lastWarn) > time.Minute {
		t.lastWarn = time.Now()
		t.b.log.Error("index can't be written", "tenant", t.name, "cause", err)
	}
}

// reset throws everything away.
func (t *tenant) reset() error {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.saving.Lock()
	defer t.saving.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.closeShards() // what they hold is thrown away
	if err := os.RemoveAll(t.dir); err != nil {
		return fmt.Errorf("remove index of tenant %s: %w", t.name, err)
	}
	if err := syncDir(t.b.dir); err != nil {
		return err
	}
	t.saved = 0
	t.place.Lock()
	t.seq, t.durable, t.batches, t.docs = 0, 0, nil, 0
	t.place.Unlock()
	t.harm.Lock()
	defer t.harm.Unlock()
	if t.damage != nil {
		t.damage, t.damaged = nil, make(chan struct{})
	}
	return nil
}

// close writes what is not on disk.
func (t *tenant) close() error {
	t.writing.Lock()
	defer t.writing.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := t.waitForDisk(ctx, 0)
	if t.broken() != nil {
		err = nil // it will be built again
	}
	err = errors.Join(err, t.save())
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(err, t.closeShards())
}

// closeShards closes all shards. The caller holds mu, or is alone.
func (t *tenant) closeShards() error {
	var errs []error
	for _, s := range t.shards {
		errs = append(errs, s.close())
	}
	t.shards = map[string]*shard{}
	return errors.Join(errs...)
}
