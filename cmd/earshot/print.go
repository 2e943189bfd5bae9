package main

import (
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// print writes the settings as a YAML file that could be given as --config. The
// admin key is not shown.
func (c *config) print(w io.Writer) error {
	values := map[string]any{
		"listen": c.Listen, "data": c.Data, "admin_key": "", "behind_proxy": c.BehindProxy, "workers": c.Workers,
		"tls.cert": c.TLS.Cert, "tls.key": c.TLS.Key, "log.level": c.Log.Level, "log.format": c.Log.Format,
		"webhook.allow_private": c.Webhook.AllowPrivate, "timezone": c.Timezone,
		"limits.body_bytes": c.Limits.BodyBytes, "limits.line_bytes": c.Limits.LineBytes, "limits.array_items": c.Limits.ArrayItems,
		"limits.search_timeout": c.Limits.SearchTimeout.String(), "limits.shutdown_timeout": c.Limits.ShutdownTimeout.String(),
	}
	group := ""
	for _, s := range settings {
		name, indent := s.key, ""
		if g, rest, ok := strings.Cut(s.key, "."); ok {
			if g != group {
				if _, err := fmt.Fprintf(w, "%s:\n", g); err != nil {
					return err
				}
			}
			group, name, indent = g, rest, "  "
		}
		value, err := yaml.Marshal(values[s.key])
		if err != nil {
			return err
		}
		note := ""
		if s.key == "admin_key" && c.AdminKey != "" {
			note = " (set, not shown)"
		}
		if _, err := fmt.Fprintf(w, "%s%s: %s # %s (%s)%s\n", indent, name, strings.TrimSpace(string(value)), s.usage, envName(s.key), note); err != nil {
			return err
		}
	}
	return nil
}
