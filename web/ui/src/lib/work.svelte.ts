import { Problem } from '../api/client';
import { messages } from './told.svelte';

/** Does what somebody asked for, and says what became of it. Gives whether it was done. */
export async function doing(what: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    await what();
    if (done) messages.say(done);
    return true;
  } catch (cause) {
    messages.fail(cause instanceof Problem ? `${cause.trouble.title}: ${cause.trouble.detail} ${cause.trouble.next}` : cause);
    return false;
  }
}
