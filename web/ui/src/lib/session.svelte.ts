import { answered, api, credentials, Problem, type Schemas } from '../api/client';
import { learn } from './amounts';

/** Who works here. */
class Session {
  who = $state.raw<Schemas['Session']>();
  /** Whether the server wants to know who asks. */
  stranger = $state(false);
  trouble = $state('');

  async find(): Promise<void> {
    try {
      this.who = await answered(api.GET('/auth/session'));
      credentials.token(this.who.csrf_token ?? '');
      this.stranger = false;
      this.trouble = '';
      await this.learnAssets();
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

  private async learnAssets(): Promise<void> {
    // filled when the server can say what assets are
    void learn;
  }
}

export const session = new Session();
