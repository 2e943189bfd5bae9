package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/earshot-cx/earshot"
)

// idBlock is how many ids the writer takes at a time, so that handing one out
// touches no table. What is left of a block is lost when the process ends.
const idBlock = 1 << 16

// idleAfter is for how long there must be nothing to write before the writer
// tidies up. Under load the log is moved every autoCheckpoint pages instead.
const idleAfter = 300 * time.Millisecond

// A writer is the one goroutine that writes. It owns its connection.
type writer struct {
	*conn
	calls   chan *call
	closing chan struct{} // closed: finish what is waiting, then stop
	stopped chan struct{} // closed: nothing is answered any more

	begin, commit, rollback        *stmt
	savepoint, rollbackTo, release *stmt
	checkpoint, truncate           *stmt
	statements

	nextID, endID int64 // the block of ids in hand
	dirty         bool  // something was committed since the last checkpoint
	erased        bool  // the write-ahead log may hold erased text
	entries       int   // applied by the call that runs
	groups        int64 // committed or tried so far
}

// A call is something to be done in a transaction.
type call struct {
	ctx    context.Context
	size   int                 // see do
	undo   bool                //
	run    func(*writer) error //
	answer chan error          // has room for one
}

// An answer is what to tell a caller once the transaction is committed.
type answer struct {
	*call
	err error
}

func startWriter(c *conn) (*writer, error) {
	w := &writer{
		conn:    c,
		calls:   make(chan *call, 256),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	for s, query := range map[**stmt]string{
		&w.begin:      "BEGIN IMMEDIATE",
		&w.commit:     "COMMIT",
		&w.rollback:   "ROLLBACK",
		&w.checkpoint: "PRAGMA wal_checkpoint(PASSIVE)",
		&w.truncate:   "PRAGMA wal_checkpoint(TRUNCATE)",
		&w.savepoint:  "SAVEPOINT call",
		&w.rollbackTo: "ROLLBACK TO call",
		&w.release:    "RELEASE call",
	} {
		var err error
		if *s, err = c.prepare(query); err != nil {
			return nil, err
		}
	}
	if err := w.statements.prepare(c); err != nil {
		return nil, err
	}
	go w.loop()
	return w, nil
}

// do has run executed in a transaction of the writer and waits until it is on
// disk. If ctx ends first, it may or may not be done. size counts the verbatims
// that run brings. undo is for a run that may change something and then return
// an error or panic; it costs two statements.
func (w *writer) do(ctx context.Context, size int, undo bool, run func(*writer) error) error {
	c := &call{ctx: ctx, size: size, undo: undo, run: run, answer: make(chan error, 1)}
	select {
	case <-w.closing:
		return errClosed
	default:
	}
	select {
	case w.calls <- c:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return errClosed
	}
	select {
	case err := <-c.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stopped:
	}
	select {
	case err := <-c.answer:
		return err
	default:
		return errClosed
	}
}

var errClosed = earshot.Errorf(earshot.Unavailable, "the store is closed")

// loop serves calls until closing, and then those that are still waiting.
func (w *writer) loop() {
	defer close(w.stopped)
	idle := time.NewTimer(idleAfter)
	defer idle.Stop()
	var c *call
	for {
		if c == nil {
			select {
			case c = <-w.calls:
			default:
				idle.Reset(idleAfter)
				select {
				case c = <-w.calls:
				case <-idle.C:
					w.tidy()
					continue
				case <-w.closing:
					select {
					case c = <-w.calls:
					default:
						return
					}
				}
			}
		}
		c = w.group(c)
	}
}

// tidy moves the write-ahead log into the database while nobody waits, and cuts
// it off if text was erased that it may still hold. It is not serious if that
// fails (somebody is reading): it is tried again.
func (w *writer) tidy() {
	var result [3]driver.Value // whether it was kept from it, and two counts of pages
	switch {
	case w.erased:
		_ = w.run("PRAGMA busy_timeout = 0")
		ok, err := w.truncate.row(result[:])
		w.erased = !ok || err != nil || result[0] != int64(0)
		_ = w.run(fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout))
	case w.dirty:
		_, _ = w.checkpoint.row(result[:])
	}
	w.dirty = false
}

// group runs c and the calls that wait behind it in one transaction, and
// answers them when it is on disk. It returns a call that did not fit.
func (w *writer) group(c *call) (left *call) {
	w.err = nil
	w.groups++
	var done []answer
	if _, err := w.begin.exec(); err != nil {
		c.answer <- err
		return nil
	}
	for size := 0; c != nil; {
		if size > 0 && size+c.size > MaxGroup {
			left = c
			break
		}
		w.entries = 0
		done = append(done, answer{c, w.one(c)})
		size += c.size + w.entries
		if w.err != nil {
			break
		}
		c = nil
		if size < MaxGroup {
			select {
			case c = <-w.calls:
			default:
			}
		}
	}
	if w.err == nil {
		_, _ = w.commit.exec() // leaves its error in w.err
	}
	w.dirty = true
	if err := w.err; err != nil {
		w.forgetIDs()
		_, _ = w.rollback.exec() // fails if SQLite did it already
		for i := range done {
			done[i].err = fmt.Errorf("write: %w", err)
		}
	}
	for _, a := range done {
		a.answer <- a.err
	}
	return left
}

// one runs a call. When it returns an error without leaving one in w.err, the
// call has changed nothing.
func (w *writer) one(c *call) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if !c.undo {
		return c.run(w)
	}
	if _, err := w.savepoint.exec(); err != nil {
		return err
	}
	err := c.runSafely(w)
	if w.err != nil {
		return w.err
	}
	if err != nil {
		w.forgetIDs()
		if _, err := w.rollbackTo.exec(); err != nil {
			return err
		}
	}
	if _, err := w.release.exec(); err != nil {
		return err
	}
	return err
}

// runSafely makes an error of a panic: the writer serves others too.
func (c *call) runSafely(w *writer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("update panicked with a %T at %s", r, debug.Stack()) // r itself may hold customers' words
		}
	}()
	return c.run(w)
}

// newID gives an id that was never given and is larger than those before.
func (w *writer) newID() (int64, error) {
	if w.nextID == w.endID {
		var next [1]driver.Value
		if _, err := w.takeIDs.row(next[:], int64(idBlock)); err != nil {
			return 0, err
		}
		w.endID = next[0].(int64)
		w.nextID = w.endID - idBlock
	}
	w.nextID++
	return w.nextID - 1, nil
}

// forgetIDs is for when the taking of the block may be rolled back.
func (w *writer) forgetIDs() { w.nextID, w.endID = 0, 0 }
