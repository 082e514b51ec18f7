package crossing

// Protocols lists every protocol, one file each.
var Protocols = []*Protocol{
	Across,
	Arbitrum,
	ArbitrumTokens,
	CBBTC,
	CCTP,
	CCTPv2,
	Celer,
	Chainflip,
	DeBridge,
	Hop,
	HopFromL1,
	LayerZero,
	LiFi,
	Maya,
	Optimism,
	Synapse,
	SynapseRFQ,
	TBTC,
	THORChain,
	WBTC,
	Wormhole,
}
