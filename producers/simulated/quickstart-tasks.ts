/** One task of the quickstart. */
export interface QuickstartTask {
  /** Short name, for tables. */
  title: string;
  task: string;
  /** What a good answer has to say. */
  groundTruth: string;
}

/** The sessions of the quickstart learn from each other under this key. */
export const QUICKSTART_LEARNING_KEY = "atlas-quickstart-security-review";

/** What the quickstart tells the agent that it is. */
export const QUICKSTART_SYSTEM_PROMPT =
  "You review code for security. Name the weakness, show the input that exploits it, and give a fix that closes it.";

const ORDERS = `app.get("/orders", async (req, res) => {
  const sql = "select * from orders where customer = '" + req.query.customer + "'";
  res.json((await db.query(sql)).rows);
});`;

const AVATARS = `app.get("/avatars/:file", (req, res) => {
  const name = req.params.file.replace("../..", "");
  res.send(fs.readFileSync("/srv/avatars/" + name));
});`;

const RESETS = `function startReset(user) {
  const token = Math.random().toString(36).slice(2);
  store.set(token, { user: user.id });
  mail(user.email, "https://shop.example/reset?t=" + token);
}

function finishReset(token, password) {
  const entry = store.get(token);
  if (entry) setPassword(entry.user, password);
}`;

/** Three security reviews: of an SQL query, of a file path, and of a password reset. */
export const QUICKSTART_TASKS: readonly QuickstartTask[] = [
  {
    title: "Order lookup",
    task: `Review this endpoint of a web shop. Is it safe? If not, name the weakness and give a fix.\n\n${ORDERS}`,
    groundTruth:
      "SQL injection through the customer parameter; fix with a bound parameter, and take the customer from the login.",
  },
  {
    title: "Avatar download",
    task: `Review this file download. Is it safe? If not, name the weakness and give a fix.\n\n${AVATARS}`,
    groundTruth:
      "Path traversal: one replace removes only the first '../..'. Resolve the path and check that it stays in the folder.",
  },
  {
    title: "Password reset",
    task: `Review this password reset. Name every weakness that lets a stranger take over an account, with a fix for each.\n\n${RESETS}`,
    groundTruth:
      "Math.random is predictable: use crypto.randomBytes. Tokens never expire and can be used again: expire and delete them.",
  },
];
