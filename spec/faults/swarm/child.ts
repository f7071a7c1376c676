/** The program of a swarm: does one plan after the other, as its parent says. */
import { plans } from './plans.js';

type Plan = (args: unknown) => Promise<unknown>;

process.on('message', ({ plan, args }: { plan: keyof typeof plans; args: unknown }) => {
  (plans[plan] as Plan)(args).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
