package crossing

// Protocols lists every protocol, one file each.
var Protocols = []*Protocol{
	Chainflip,
	DeBridge,
	Maya,
	THORChain,
}
