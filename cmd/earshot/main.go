// Command earshot is the whole service in one binary: `earshot serve` runs it,
// the other commands do one thing and end.
//
// Exit status: 0 done, 1 something in the input was refused, 2 wrong usage or
// configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

func main() {
	os.Exit(exitStatus())
}

func exitStatus() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, errRefused) {
		fmt.Fprintln(os.Stderr, "earshot:", err)
	}
	return status(err)
}

// errRefused ends a command that did its work but refused part of the input,
// which it has told in its output.
var errRefused = errors.New("part of the input was refused")

// A usageError is wrong usage or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func status(err error) int {
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}

// run is the program; tests call it as main does.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:           "earshot",
		Short:         "Hears what customers say: redacts, scores, finds",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(serveCommand(), analyzeCommand(), tokensCommand(), sentencesCommand(), redactCommand(),
		replayCommand(), keysCommand(), configCommand(), versionCommand())
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	ran := false
	for _, cmd := range append(root.Commands(), root) {
		markRun(cmd, &ran)
	}
	err := root.ExecuteContext(ctx)
	if err != nil && !ran { // cobra's own: an unknown command, too many arguments
		return usageError{err}
	}
	return err
}

// markRun notes when a command's own code begins to run.
func markRun(cmd *cobra.Command, ran *bool) {
	if inner := cmd.RunE; inner != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*ran = true
			return inner(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		markRun(sub, ran)
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "earshot", version)
			return err
		},
	}
}

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show and check the configuration", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	show := &cobra.Command{
		Use:   "print",
		Short: "Print every setting as YAML, with its value, meaning and variable",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd.Flags())
			if c == nil {
				return usageError{err}
			}
			if printErr := c.print(cmd.OutOrStdout()); printErr != nil {
				return printErr
			}
			if err != nil {
				return usageError{err}
			}
			return nil
		},
	}
	check := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with the configuration",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := loadConfig(cmd.Flags()); err != nil {
				return usageError{err}
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "the configuration is good")
			return err
		},
	}
	addFlags(show.Flags())
	addFlags(check.Flags())
	cmd.AddCommand(show, check)
	return cmd
}
