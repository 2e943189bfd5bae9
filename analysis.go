package earshot

// An Analysis is what Earshot understood of one verbatim. Every offset points
// into Verbatim.Text. Scores are absent (nil), never 0, where there is nothing
// to say.
type Analysis struct {
	Lang      string            `json:"lang"`      // main language: th, zh-Hans, zh-Hant, yue, en, another ISO 639 code, or und
	Langs     []LangSpan        `json:"langs"`     // in order, covering the text; a language that takes over begins where it is written
	Sentiment *Sentiment        `json:"sentiment"` // nil when no customer speaks, for a bare rating and in a language that is not scored
	Effort    *Effort           `json:"effort"`    // nil when nothing is said about effort
	Intents   []Label           `json:"intents"`   // most probable first
	Emotions  []Emotion         `json:"emotions"`
	Flags     []string          `json:"flags"`
	Abstained []string          `json:"abstained"` // scores the model does not vouch for
	Aspects   []Aspect          `json:"aspects"`
	Segments  []Segment         `json:"segments"` // sentences or clauses, in order, never across turns
	Evidence  []Evidence        `json:"evidence"`
	Model     string            `json:"model"`   // name and version of the models that scored it
	Lexicon   string            `json:"lexicon"` // name and version of the lexicon
	Employee  *EmployeeAnalysis `json:"employee,omitempty"`
}

// EmployeeAnalysis holds the scores of the turns of employees who give
// feedback themselves; they never count as the customer's.
type EmployeeAnalysis struct {
	Sentiment *Sentiment `json:"sentiment"`
	Effort    *Effort    `json:"effort"`
}

// A LangSpan says in which language a part of the text is.
type LangSpan struct {
	Lang  string `json:"lang"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// Sentiment is the customer's attitude to the company, product or service.
type Sentiment struct {
	Score      float64 `json:"score"`      // −1 … 1
	Label      string  `json:"label"`      // negative, neutral, positive, mixed
	Confidence float64 `json:"confidence"` // 0 … 1
}

// Effort is how hard the customer says it was to get what they wanted.
type Effort struct {
	Score      float64 `json:"score"` // −1 very easy … 1 very hard
	Label      string  `json:"label"` // very_easy, easy, hard, very_hard
	Confidence float64 `json:"confidence,omitempty"`
	Frames     []Frame `json:"frames,omitempty"`
}

// A Frame is one kind of effort, where the text says so.
type Frame struct {
	Frame string `json:"frame"` // one of Frames
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// A Label is an intent with its probability.
type Label struct {
	Label       string  `json:"label"`
	Probability float64 `json:"probability"` // 0 … 1
}

// An Emotion is one that the words show.
type Emotion struct {
	Label       string  `json:"label"`       // one of Emotions
	Intensity   float64 `json:"intensity"`   // 0 … 1, by rule: intensifiers, elongation, capitals, marks
	Probability float64 `json:"probability"` // 0 … 1
}

// An Aspect is what the customer speaks of and how.
type Aspect struct {
	Topic    string  `json:"topic"`
	Polarity float64 `json:"polarity"` // −1 … 1
	Start    int     `json:"start"`
	End      int     `json:"end"`
}

// A Segment is a sentence or clause with its own scores.
type Segment struct {
	Start     int        `json:"start"`
	End       int        `json:"end"`
	Turn      int        `json:"turn"` // index into Verbatim.Turns
	Lang      string     `json:"lang"`
	Sentiment *Sentiment `json:"sentiment"`
	Effort    *Effort    `json:"effort"`
}

// Evidence is the words that moved a score, what found them, and by how much.
type Evidence struct {
	Score  string  `json:"score"`           // sentiment, effort, intent, emotion, flag, aspect
	Label  string  `json:"label,omitempty"` // the intent, frame, emotion or flag meant
	Start  int     `json:"start"`
	End    int     `json:"end"`
	Text   string  `json:"text"`   // text[Start:End]
	Source string  `json:"source"` // "lexicon:…", "rule:…"
	Weight float64 `json:"weight"` // what it added, signed
}

// SentimentLabel names a score that is not mixed. The bounds are those of the contract, ±0.25.
func SentimentLabel(score float64) string {
	switch {
	case score <= -0.25:
		return "negative"
	case score >= 0.25:
		return "positive"
	}
	return "neutral"
}

// EffortLabel names an effort score: easy below 0, hard above, "very_" from 0.75.
func EffortLabel(score float64) string {
	switch {
	case score <= -0.75:
		return "very_easy"
	case score < 0:
		return "easy"
	case score < 0.75:
		return "hard"
	}
	return "very_hard"
}

// A Record is a verbatim with what was understood of it: what the store keeps,
// the index shows and the wire carries. Analysis is nil until it was analysed.
type Record struct {
	Verbatim Verbatim
	Analysis *Analysis
	Issues   []IssueRef // the issues it belongs to; set once, never by re-scoring
	Seq      uint64     // its place in the tenant's log; 0 while it waits
}

// An IssueRef says that a segment of a verbatim belongs to an issue.
type IssueRef struct {
	ID         string  `json:"id"`
	Segment    int     `json:"segment"`
	Similarity float64 `json:"similarity"`
}
