//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFolder makes the data folder and takes it for this process alone; the
// system gives it back when the process ends, however it ends.
func lockFolder(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, usageError{fmt.Errorf("data folder: %w", err)}
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, usageError{fmt.Errorf("data folder: %w", err)}
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, usageError{fmt.Errorf("data folder %s is in use by another earshot", dir)}
		}
		return nil, fmt.Errorf("lock data folder %s: %w", dir, err)
	}
	return func() { _ = f.Close() }, nil
}
