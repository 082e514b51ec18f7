import { answered, api, credentials, Problem, type Schemas } from '../api/client';
import { learn } from './amounts';

/** Who works here. */
class Session {
  who = $state.raw<Schemas['Session']>();
  /** Whether the server wants to know who asks. */
  stranger = $state(false);
  trouble = $state('');
  private learnt = false;

  async find(): Promise<void> {
    try {
      const who = await answered(api.GET('/auth/session'));
      credentials.token(who.csrf_token ?? '');
      await this.learnAssets(); // before anything is shown: an amount is not written anew when its unit is learnt
      this.who = who;
      this.stranger = false;
      this.trouble = '';
    } catch (cause) {
      this.stranger = cause instanceof Problem && (cause.trouble.status === 401 || cause.trouble.status === 403);
      this.trouble = this.stranger ? '' : String(cause instanceof Error ? cause.message : cause);
    }
  }

  /** Says whether somebody may do what needs a role. */
  may(role: Schemas['Role']): boolean {
    const order = ['viewer', 'analyst', 'operator', 'admin'];
    return !!this.who && order.indexOf(this.who.role) >= order.indexOf(role);
  }

  async signIn(key: string): Promise<void> {
    credentials.key = key.trim();
    await this.find();
    if (this.stranger) credentials.key = '';
  }

  /** Learns once how people read the assets of the register. Without it amounts are shown in base units, which are right too. */
  private async learnAssets(): Promise<void> {
    if (this.learnt) return;
    try {
      const { items } = await answered(api.GET('/v1/assets'));
      for (const { asset, symbol, decimals } of items) if (symbol) learn(asset, { symbol, decimals });
      this.learnt = true;
    } catch {
      // asked again with the next sign-in
    }
  }
}

export const session = new Session();
