import fc from "fast-check";

const text = fc.string({ unit: "binary" });
const words = fc.string({ minLength: 1 });
const textPart = fc.record({ type: fc.constant("text"), text });
const parts = fc.array(
  fc.oneof(
    textPart,
    fc.record({ type: fc.constant("image_url"), image_url: fc.record({ url: words, detail: words }) }),
    fc.record({ type: fc.constant("input_audio"), input_audio: fc.record({ data: words, format: words }) }),
    fc.record({ type: fc.constant("file"), file: fc.record({ file_id: words }) }),
  ),
);
const said = fc.array(fc.oneof(textPart, fc.record({ type: fc.constant("refusal"), refusal: text })));
/** Text that holds no JSON text: arguments that were encoded twice are decoded. */
const args = text.filter((value) => !value.startsWith('"'));
const call = fc.oneof(
  fc.record({
    id: words,
    type: fc.constant("function"),
    function: fc.record({ name: words, arguments: args }),
  }),
  fc.record({ id: words, type: fc.constant("custom"), custom: fc.record({ name: words, input: text }) }),
);
const optional = { requiredKeys: ["role", "content"] as ("role" | "content")[] };

/** A message as OpenAI's chat API takes and gives it. */
export const openaiMessage = fc.oneof(
  fc.record(
    {
      role: fc.constantFrom("system", "developer"),
      content: fc.oneof(text, fc.array(textPart)),
      name: words,
    },
    optional,
  ),
  fc.record({ role: fc.constant("user"), content: fc.oneof(text, parts), name: words }, optional),
  fc.record(
    {
      role: fc.constant("assistant"),
      content: fc.oneof(text, fc.constant(null), said),
      name: words,
      refusal: fc.option(text),
      reasoning_content: text,
      tool_calls: fc.option(fc.array(call)),
      function_call: fc.option(fc.record({ name: words, arguments: args })),
      audio: fc.option(fc.record({ id: words })),
      annotations: fc.array(fc.jsonValue()),
      weight: fc.constantFrom(0, 1),
    },
    optional,
  ),
  fc.record({ role: fc.constant("tool"), content: fc.oneof(text, fc.array(textPart)), tool_call_id: words }),
  fc.record({ role: fc.constant("function"), content: fc.oneof(text, fc.constant(null)), name: words }),
);
