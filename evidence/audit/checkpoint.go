package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// checkpointFormat names the format, and separates its signatures from all others.
const checkpointFormat = "coldtrail-audit-checkpoint-1"

// A Checkpoint is a head that the log's owner has signed, for others to keep. A log that
// does not hold it any more was cut off or written again since.
type Checkpoint struct {
	Format string `json:"format"`
	Head
	Key       []byte `json:"key"`       // Ed25519, base64; which key, not that it is the right one
	Signature []byte `json:"signature"` // Ed25519, base64
}

// ErrSignature says that a checkpoint was not signed by the key that the caller trusts.
var ErrSignature = errors.New("the checkpoint is not signed by this key")

// message is what is signed.
func (h *Head) message() []byte {
	return fmt.Appendf(nil, "%s\n%d\n%s\n%d\n", checkpointFormat, h.Sequence, h.Hash, h.Time)
}

// Sign makes a checkpoint of a head.
func Sign(head Head, key ed25519.PrivateKey) Checkpoint {
	public, _ := key.Public().(ed25519.PublicKey)
	return Checkpoint{checkpointFormat, head, public, ed25519.Sign(key, head.message())}
}

// Text is the checkpoint as JSON.
func (c *Checkpoint) Text() []byte {
	return fmt.Appendf(nil, `{"format":"%s","seq":%d,"ms":%d,"hash":"%s","key":"%s","signature":"%s"}`+"\n",
		checkpointFormat, c.Sequence, c.Time, c.Hash, base64.StdEncoding.EncodeToString(c.Key), base64.StdEncoding.EncodeToString(c.Signature))
}

// ParseCheckpoint reads a checkpoint, and the head that it names if it is signed by a key.
func ParseCheckpoint(text []byte, key ed25519.PublicKey) (Head, error) {
	var c Checkpoint
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return Head{}, fmt.Errorf("audit: checkpoint: %w", err)
	}
	if c.Format != checkpointFormat {
		return Head{}, fmt.Errorf("audit: checkpoint: format %q is not %s", c.Format, checkpointFormat)
	}
	if len(key) != ed25519.PublicKeySize || !bytes.Equal(c.Key, key) || !ed25519.Verify(key, c.message(), c.Signature) {
		return Head{}, fmt.Errorf("audit: checkpoint of record %d: %w", c.Sequence, ErrSignature)
	}
	return c.Head, nil
}
