package query

// Each calls f with a node and all below it.
func Each(n Node, f func(Node)) {
	f(n)
	switch n := n.(type) {
	case And:
		for _, k := range n {
			Each(k, f)
		}
	case Or:
		for _, k := range n {
			Each(k, f)
		}
	case Not:
		Each(n.Node, f)
	}
}

// Rewrite makes a tree in which each leaf is what f makes of it. The tree given
// is left as it is.
func Rewrite(n Node, f func(Node) Node) Node {
	switch n := n.(type) {
	case And:
		out := make(And, len(n))
		for i, k := range n {
			out[i] = Rewrite(k, f)
		}
		return out
	case Or:
		out := make(Or, len(n))
		for i, k := range n {
			out[i] = Rewrite(k, f)
		}
		return out
	case Not:
		return Not{Rewrite(n.Node, f)}
	}
	return f(n)
}
