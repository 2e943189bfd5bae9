package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones also where the machine has none

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// A config is everything that can be set. It comes from, each over the one
// before: the defaults, a YAML file, EARSHOT_… variables, flags. A key that is
// not one of these is an error wherever it stands.
type config struct {
	Listen      string        `koanf:"listen"`
	Data        string        `koanf:"data"`
	AdminKey    string        `koanf:"admin_key"`
	BehindProxy bool          `koanf:"behind_proxy"`
	Workers     int           `koanf:"workers"`
	TLS         tlsConfig     `koanf:"tls"`
	Log         logConfig     `koanf:"log"`
	Webhook     webhookConfig `koanf:"webhook"`
	Timezone    string        `koanf:"timezone"`
	Limits      limitsConfig  `koanf:"limits"`

	location *time.Location // Timezone
}

type webhookConfig struct {
	AllowPrivate bool `koanf:"allow_private"`
}

type tlsConfig struct {
	Cert string `koanf:"cert"`
	Key  string `koanf:"key"`
}

type logConfig struct {
	Level  string `koanf:"level"`
	Format string `koanf:"format"`
}

type limitsConfig struct {
	BodyBytes       int           `koanf:"body_bytes"`
	LineBytes       int           `koanf:"line_bytes"`
	ArrayItems      int           `koanf:"array_items"`
	SearchTimeout   time.Duration `koanf:"search_timeout"`
	ShutdownTimeout time.Duration `koanf:"shutdown_timeout"`
}

// settings are the keys with their defaults and what they mean, in the order in
// which config print gives them. A key's variable is EARSHOT_ and its name in
// capitals, dots and dashes as underscores; its flag has dashes for both.
var settings = []struct {
	key   string
	value any
	usage string
}{
	{"listen", "127.0.0.1:8080", "address to serve on; port 0 picks a free one"},
	{"data", "./data", "folder of the record and the index"},
	{"admin_key", "", "admin key of tenant default, esk_… of 32 characters or more; instead of one that is made"},
	{"behind_proxy", false, "a proxy in front of this address speaks TLS"},
	{"workers", 0, "analyses at once; 0 is one a core"},
	{"tls.cert", "", "file with the certificate chain, PEM"},
	{"tls.key", "", "file with its key, PEM"},
	{"log.level", "info", "debug, info, warn or error"},
	{"log.format", "text", "text or json"},
	{"webhook.allow_private", false, "webhooks may go to loopback and private addresses"},
	{"timezone", "UTC", "zone of the times in the reasons of alerts: Asia/Bangkok"},
	{"limits.body_bytes", 32 << 20, "size of a request's body, decompressed"},
	{"limits.line_bytes", 4 << 20, "size of one line of NDJSON"},
	{"limits.array_items", 1000, "verbatims in one JSON array"},
	{"limits.search_timeout", "5s", "how long one search may take"},
	{"limits.shutdown_timeout", "20s", "how long requests in hand may take when the service stops"},
}

const envPrefix = "EARSHOT_"

func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func flagName(key string) string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(key)
}

// addFlags gives a command a flag for each setting named, all of them if none is.
func addFlags(flags *pflag.FlagSet, keys ...string) {
	flags.String("config", "", "YAML file with settings (EARSHOT_CONFIG)")
	for _, s := range settings {
		if len(keys) > 0 && !slices.Contains(keys, s.key) {
			continue
		}
		usage := fmt.Sprintf("%s (%s)", s.usage, envName(s.key))
		switch v := s.value.(type) {
		case string:
			flags.String(flagName(s.key), v, usage)
		case bool:
			flags.Bool(flagName(s.key), v, usage)
		case int:
			flags.Int(flagName(s.key), v, usage)
		}
	}
}

// loadConfig reads the settings. An error is for the person who set them.
func loadConfig(flags *pflag.FlagSet) (*config, error) {
	k := koanf.New(".")
	defaults := map[string]any{}
	byEnv := map[string]string{}
	byFlag := map[string]string{}
	for _, s := range settings {
		defaults[s.key] = s.value
		byEnv[envName(s.key)] = s.key
		byFlag[flagName(s.key)] = s.key
	}
	if err := k.Load(confmap.Provider(defaults, "."), nil); err != nil {
		return nil, err
	}
	path := os.Getenv(envPrefix + "CONFIG")
	if f := flags.Lookup("config"); f != nil && f.Changed {
		path = f.Value.String()
	}
	if path != "" {
		if err := loadFile(k, path, defaults); err != nil {
			return nil, err
		}
	}
	var unknown []string
	err := k.Load(env.Provider(".", env.Opt{Prefix: envPrefix, TransformFunc: func(name, value string) (string, any) {
		key, ok := byEnv[name]
		if !ok && name != envPrefix+"CONFIG" {
			unknown = append(unknown, name)
		}
		return key, value
	}}), nil)
	if err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return nil, fmt.Errorf("unknown variable %s; `earshot config print` lists those there are", strings.Join(unknown, ", "))
	}
	err = k.Load(posflag.ProviderWithFlag(flags, ".", k, func(f *pflag.Flag) (string, any) {
		if !f.Changed {
			return "", nil
		}
		return byFlag[f.Name], posflag.FlagVal(flags, f)
	}), nil)
	if err != nil {
		return nil, fmt.Errorf("flags: %w", err)
	}
	var c config
	if err := k.Unmarshal("", &c); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	err = c.check()
	return &c, err
}

func loadFile(k *koanf.Koanf, path string, known map[string]any) error {
	f := koanf.New(".")
	if err := f.Load(file.Provider(path), yaml.Parser()); err != nil {
		return fmt.Errorf("configuration file %s: %w", path, err)
	}
	for _, key := range f.Keys() {
		if _, ok := known[key]; !ok {
			return fmt.Errorf("configuration file %s: unknown key %q; `earshot config print` lists those there are", path, key)
		}
	}
	return k.Merge(f)
}

// check says everything that is wrong with the values.
func (c *config) check() error {
	var wrong []error
	bad := func(key, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		bad("listen", "%q is not HOST:PORT", c.Listen)
	}
	if c.Data == "" {
		bad("data", "a folder is needed")
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		bad("log.level", "%q is not debug, info, warn or error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		bad("log.format", "%q is not text or json", c.Log.Format)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		bad("tls", "cert and key go together")
	}
	if c.Workers < 0 {
		bad("workers", "%d is below 0", c.Workers)
	}
	var err error
	if c.location, err = time.LoadLocation(c.Timezone); err != nil {
		bad("timezone", "%q is no time zone", c.Timezone)
	}
	for key, n := range map[string]int{"body_bytes": c.Limits.BodyBytes, "line_bytes": c.Limits.LineBytes, "array_items": c.Limits.ArrayItems} {
		if n < 1 {
			bad("limits."+key, "%d is below 1", n)
		}
	}
	for key, d := range map[string]time.Duration{"search_timeout": c.Limits.SearchTimeout, "shutdown_timeout": c.Limits.ShutdownTimeout} {
		if d <= 0 {
			bad("limits."+key, "%v is not above 0", d)
		}
	}
	return errors.Join(wrong...)
}

// isLoopback says whether an address can be reached from this machine alone.
func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
