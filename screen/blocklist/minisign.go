package blocklist

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// The file format of minisign 0.11 (https://jedisct1.github.io/minisign/, "Signature
// format" and "Public key format"): Ed25519 over BLAKE2b-512 of the file, and Ed25519
// over that signature and the trusted comment.
const (
	keyAlgorithm    = "Ed"
	hashedAlgorithm = "ED"
	untrusted       = "untrusted comment: "
	trusted         = "trusted comment: "

	maxComment   = 4096 // bytes; minisign itself reads up to 8 KiB
	maxSignature = 2*maxComment + 1024
)

// A KeyID tells keys apart; it is no secret and proves nothing.
type KeyID [8]byte

// String is the identifier as minisign prints it.
func (id KeyID) String() string { return fmt.Sprintf("%016X", binary.LittleEndian.Uint64(id[:])) }

// A PublicKey checks signatures.
type PublicKey struct {
	ID  KeyID
	Key [ed25519.PublicKeySize]byte
}

// String is the key in one line, as minisign's -P takes it.
func (k PublicKey) String() string {
	return base64.StdEncoding.EncodeToString(append(append([]byte(keyAlgorithm), k.ID[:]...), k.Key[:]...))
}

// Encode writes the key as a file, as minisign's -p takes it.
func (k PublicKey) Encode() []byte {
	return fmt.Appendf(nil, "%sminisign public key %s\n%s\n", untrusted, k.ID, k)
}

// ParsePublicKey reads a key: the file of two lines, or the second line alone.
func ParsePublicKey(text []byte) (PublicKey, error) {
	lines, err := split(text)
	if err != nil {
		return PublicKey{}, err
	}
	if len(lines) == 2 && strings.HasPrefix(lines[0], untrusted) {
		lines[0] = lines[1]
	} else if len(lines) != 1 {
		return PublicKey{}, refuse(0, "a public key has one line, after a comment or alone")
	}
	var k PublicKey
	raw := decodeBase64(lines[0], len(keyAlgorithm)+len(k.ID)+len(k.Key))
	if raw == nil || string(raw[:2]) != keyAlgorithm {
		return PublicKey{}, refuse(len(lines), "no public key of minisign")
	}
	copy(k.ID[:], raw[2:])
	copy(k.Key[:], raw[2+len(k.ID):])
	return k, nil
}

// A SecretKey signs. It prints as its identifier only.
type SecretKey struct {
	id  KeyID
	key ed25519.PrivateKey
}

// NewSecretKey makes the key of a seed, which has to be 32 random bytes that nobody else
// knows. Its identifier follows from its public key.
func NewSecretKey(seed [ed25519.SeedSize]byte) SecretKey {
	k := SecretKey{key: ed25519.NewKeyFromSeed(seed[:])}
	public := k.Public()
	hash := blake2b.Sum512(public.Key[:])
	copy(k.id[:], hash[:])
	return k
}

// Public is the key that checks what this one signs. The zero SecretKey has none that
// checks anything.
func (k SecretKey) Public() PublicKey {
	if k.key == nil {
		return PublicKey{}
	}
	return PublicKey{k.id, [ed25519.PublicKeySize]byte(k.key[ed25519.SeedSize:])}
}

// String is the identifier.
func (k SecretKey) String() string { return "secret key " + k.id.String() }

// GoString is the identifier too.
func (k SecretKey) GoString() string { return k.String() }

// Sign returns the signature file over a file. The comment is signed with it; it is one
// printable line of at most 4096 bytes, in which tabs are allowed. The same key, file and
// comment give the same signature.
func (k SecretKey) Sign(file []byte, comment string) ([]byte, error) {
	if k.key == nil {
		return nil, refuse(0, "no key to sign with")
	}
	if !isComment(comment) {
		return nil, refuse(0, "comment %.100q is not one printable line of at most %d bytes", comment, maxComment)
	}
	hash := blake2b.Sum512(file)
	signature := ed25519.Sign(k.key, hash[:])
	whole := ed25519.Sign(k.key, append(append([]byte(nil), signature...), comment...))
	line := append(append([]byte(hashedAlgorithm), k.id[:]...), signature...)
	encode := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, "%ssignature from coldtrail, key %s\n%s\n%s%s\n%s\n", untrusted, k.id, encode(line), trusted, comment, encode(whole)), nil
}

// Verify checks the signature file of a file against the keys that are trusted, and
// returns the comment that was signed with it. Anything that is not right is an Error,
// and then nothing of the comment may be believed. Signatures over files that were not
// hashed first, which minisign calls legacy, are refused.
func Verify(file, signature []byte, keys ...PublicKey) (string, error) {
	lines, err := split(signature)
	switch {
	case err != nil:
		return "", err
	case len(lines) != 4:
		return "", refuse(0, "a signature has four lines and not %d", len(lines))
	case !strings.HasPrefix(lines[0], untrusted):
		return "", refuse(1, "no untrusted comment")
	case !strings.HasPrefix(lines[2], trusted):
		return "", refuse(3, "no trusted comment")
	}
	comment := lines[2][len(trusted):]
	if !isComment(comment) {
		return "", refuse(3, "trusted comment is not printable or over %d bytes", maxComment)
	}
	var id KeyID
	raw := decodeBase64(lines[1], len(hashedAlgorithm)+len(id)+ed25519.SignatureSize)
	whole := decodeBase64(lines[3], ed25519.SignatureSize)
	switch {
	case raw == nil || string(raw[:2]) != hashedAlgorithm:
		return "", refuse(2, "no signature over a hashed file")
	case whole == nil:
		return "", refuse(4, "no signature")
	}
	copy(id[:], raw[2:])
	hash, made := blake2b.Sum512(file), raw[2+len(id):]
	known := false
	for _, k := range keys {
		if k.ID != id {
			continue
		}
		known = true
		if ed25519.Verify(k.Key[:], hash[:], made) && ed25519.Verify(k.Key[:], append(append([]byte(nil), made...), comment...), whole) {
			return comment, nil
		}
	}
	if !known {
		return "", refuse(2, "key %s is not trusted", id)
	}
	return "", refuse(2, "signature of key %s is not of this file and comment", id)
}

// split takes a small file of minisign apart. The last line needs no end, and lines may
// end as on Windows.
func split(text []byte) ([]string, error) {
	if len(text) > maxSignature {
		return nil, refuse(0, "file is over %d bytes", maxSignature)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	return lines, nil
}

// decodeBase64 returns exactly as many bytes as are wanted, or nil.
func decodeBase64(text string, want int) []byte {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != want || len(text) != base64.StdEncoding.EncodedLen(want) {
		return nil
	}
	return raw
}

// isComment says whether a text can be a trusted comment.
func isComment(text string) bool {
	return isText(strings.ReplaceAll(text, "\t", " "), maxComment)
}
