package crossing

// Protocols lists every protocol, one file each.
var Protocols = []*Protocol{
	Across,
	Arbitrum,
	ArbitrumTokens,
	CCTP,
	CCTPv2,
	Celer,
	Chainflip,
	DeBridge,
	LayerZero,
	Maya,
	Optimism,
	Synapse,
	SynapseRFQ,
	TBTC,
	THORChain,
	WBTC,
	Wormhole,
}
