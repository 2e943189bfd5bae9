//go:build !unix

package main

import "os"

// lockFolder makes the data folder. Elsewhere than on Unix nothing keeps a
// second process out of it but the index's own lock.
func lockFolder(dir string) (unlock func(), err error) {
	return func() {}, os.MkdirAll(dir, 0o700)
}
