import { QUICKSTART_TASKS } from "./quickstart-tasks.ts";

/** Something that a good review says, how to tell that it does, and what to tell a student whose review does not. */
interface Finding {
  says: RegExp;
  guidance: string;
}

/** What the simulated models know about a task. */
export interface SimulatedReview {
  task: string;
  /** The student's answers: the first, and the one after guidance. */
  answers: readonly [string, string];
  findings: readonly Finding[];
}

const [ORDERS, AVATARS, RESETS] = QUICKSTART_TASKS;

const ORDER_ANSWER = `The endpoint is open to SQL injection: "customer" goes into the statement as text.
Exploit: /orders?customer=' or '1'='1 returns everybody's orders.
Fix: bind the value instead of joining it, db.query("select * from orders where customer = $1", [customer]), and take
the customer from the logged-in session, not from the query string.`;

const AVATAR_FIRST = `The endpoint allows path traversal, but the replace of ".." already stops it in practice.
Fix: use a regular expression with the g flag so that every ".." is removed.`;

const AVATAR_SECOND = `The endpoint allows path traversal: replace removes only the first "..".
Exploit: /avatars/..%2F..%2F..%2Fetc%2Fpasswd. With the g flag, "....//" still turns into ".." when its middle goes.
Fix: do not clean the name, check the result: const full = path.resolve("/srv/avatars", name), and answer 404 unless
full starts with "/srv/avatars" + path.sep. Resolve symbolic links with fs.realpath before the check.`;

const RESET_FIRST = `The token is rather short, so it could be guessed.
Fix: join two of them, Math.random().toString(36).slice(2) twice, which gives over 20 characters.`;

const RESET_SECOND = `The token is too short, and there is no limit on attempts.
Fix: join three random parts instead of one, and lock the form for a minute after five wrong tokens.`;

/** Reviews by a student who gets one task right at once, one after guidance, and one not at all. */
export const SIMULATED_REVIEWS: readonly SimulatedReview[] = [
  {
    task: ORDERS!.task,
    answers: [ORDER_ANSWER, ORDER_ANSWER],
    findings: [
      { says: /sql injection/i, guidance: "Name the weakness: the parameter becomes part of the SQL text." },
      { says: /\$1|bind|bound|parameteri[sz]ed/i, guidance: "Give a fix that binds the value." },
    ],
  },
  {
    task: AVATARS!.task,
    answers: [AVATAR_FIRST, AVATAR_SECOND],
    findings: [
      { says: /path traversal/i, guidance: "Name the weakness: the path can leave its folder." },
      {
        says: /\.\.\.\.\/\//,
        guidance: 'Removing ".." can itself make a new one. Show an input that gets past the replace.',
      },
      {
        says: /resolve|realpath/i,
        guidance:
          "Do not clean the name: resolve the whole path and check that it is still inside /srv/avatars.",
      },
    ],
  },
  {
    task: RESETS!.task,
    answers: [RESET_FIRST, RESET_SECOND],
    findings: [
      { says: /guess|short/i, guidance: "Say what a stranger can do with the token." },
      {
        says: /randomBytes|randomUUID|getRandomValues/,
        guidance:
          "The length is not the point: Math.random can be predicted. Use a generator made for secrets.",
      },
      {
        says: /expir/i,
        guidance: "A token that never expires stays dangerous in every old mailbox. Limit its life.",
      },
      {
        says: /delete|once|single.use/i,
        guidance: "The token still works after it was used. Delete it on use.",
      },
    ],
  },
];

/** What the simulated models know about a task; undefined for a task of somebody's own. */
export const reviewOf = (text: string): SimulatedReview | undefined =>
  SIMULATED_REVIEWS.find(({ task }) => text.includes(task));
