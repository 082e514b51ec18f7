package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"

	"coldtrail/ledger"
)

// A Submission is somebody's claim that stolen money went a certain way, as reports to
// bounty programmes make it: from a place, by these transactions, to a place.
type Submission struct {
	Claim  string          `yaml:"claim"` // its name, for whoever keeps them
	By     string          `yaml:"by"`
	Colour string          `yaml:"colour"` // CASE/COLOUR; needed where the cases have several
	From   SubmittedPlace  `yaml:"from"`
	To     SubmittedPlace  `yaml:"to"`
	Steps  []SubmittedStep `yaml:"steps"`
}

// SubmittedPlace is an address, or on UTXO chains also an output as TXID:VOUT.
type SubmittedPlace struct {
	Chain string `yaml:"chain"`
	At    string `yaml:"at"`
}

// SubmittedStep is one transaction of a submitted path. From and To name places of it
// where it has several; Amount is how much of what is stolen it is said to bring to To at
// least, in base units.
type SubmittedStep struct {
	Chain  string `yaml:"chain"`
	Tx     string `yaml:"tx"`
	From   string `yaml:"from"`
	To     string `yaml:"to"`
	Amount string `yaml:"amount"`
}

// The bounds of a submission.
const (
	maxSubmission = 1 << 20
	maxSteps      = 10_000
)

// ParseSubmission reads a submitted path, in YAML or JSON. Unknown keys are errors.
func ParseSubmission(r io.Reader) (*Submission, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSubmission+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSubmission {
		return nil, errors.New("the submission is larger than 1 MiB")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	s := &Submission{}
	if err := decoder.Decode(s); err != nil {
		return nil, fmt.Errorf("no submission: %w", err)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one submission in a file")
	}
	return s, s.check()
}

func (s *Submission) check() error {
	if len(s.Steps) == 0 || len(s.Steps) > maxSteps {
		return fmt.Errorf("it has %d steps; want 1 to %d", len(s.Steps), maxSteps)
	}
	for _, p := range []*SubmittedPlace{&s.From, &s.To} {
		if _, err := ledger.ParseChain(p.Chain); err != nil || p.At == "" {
			return errors.New("from and to need chain and at: an address, or TXID:VOUT")
		}
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		_, err := ledger.ParseChain(step.Chain)
		if err == nil {
			_, err = ledger.ParseHash(step.Tx)
		}
		if err == nil && step.Amount != "" {
			_, err = ledger.ParseAmount(step.Amount)
		}
		if err != nil {
			return fmt.Errorf("steps[%d]: %w", i, err)
		}
	}
	return nil
}
