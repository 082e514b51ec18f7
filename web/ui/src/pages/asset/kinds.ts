import type { Schemas } from '../../api/client';

/** What an asset is, in words. */
export const kindWords: Record<Schemas['AssetLine']['kind'], string> = {
  native: 'the asset of its chain',
  token: 'token',
  wrapped: 'form of another asset',
  staked: 'share in what was staked',
  stable: 'claim on dollars or the like',
  unit: 'unit of account',
};
