/** A first configuration, with what is most often wanted and a word on each. */
export const STARTER_CONFIG = `# Configuration of Atlas. \`atlas config schema\` prints a JSON Schema for editors, \`atlas config check FILE\` checks it.

# Who works on tasks: openai (any server that speaks OpenAI's API), anthropic, gemini, or a function of yours.
agent:
  type: openai
  name: assistant
  model: \${ATLAS_MODEL:-gpt-5.4-mini}
  # base_url: http://localhost:11434/v1 # a server of your own
  # api_key_env: OPENAI_API_KEY         # the variable's name; keys never stand in this file
  system_prompt: |
    You answer tasks completely and briefly.

# Who checks every attempt and gives guidance.
teacher:
  provider: openai
  model: \${ATLAS_MODEL:-gpt-5.4-mini}

# Who scores the session.
judge:
  provider: openai
  model: \${ATLAS_MODEL:-gpt-5.4-mini}
  timeout_seconds: 120

orchestration:
  max_retries: 1 # further attempts after one that the teacher rejected
  deadline_seconds: 900

# How much help the agent gets: auto (none), paired (its answers are checked), coach (its plans too). docs/lanes.md
# lane:
#   forced: coach

# When a session counts as drift from those before it.
rules:
  drift:
    window: 50
    threshold: 3
    min_baseline: 5

# Where events are kept. Without this block the environment decides, and otherwise the folder .atlas is used.
# log:
#   kind: postgres
#   database_url: \${ATLAS_DATABASE_URL}
`;
