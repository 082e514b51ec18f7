package crossing

// Protocols lists every protocol, one file each.
var Protocols = []*Protocol{
	Celer,
	Chainflip,
	DeBridge,
	Maya,
	THORChain,
}
