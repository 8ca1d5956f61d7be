// A query of several lines, pasted into a field of one: browsers drop the line breaks, and `a:1⏎and b:2` would become
// `a:1and b:2`. Within quotes a line break becomes `\n`, elsewhere a blank, as the server does with addresses.

export function oneLine(text, quoted) {
  return text.replace(/\\[^\r\n]|"|\r\n|[\r\n]/g, (sign) => {
    if (sign === '"') quoted = !quoted;
    if (!/[\r\n]/.test(sign)) return sign;
    return quoted ? sign.replace("\r", "\\r").replace("\n", "\\n") : " ";
  });
}

// Whether a query that stops here is within quotes.
const opens = (text) => (text.replace(/\\./g, "").match(/"/g) ?? []).length % 2 === 1;

export function init() {
  document.addEventListener("paste", (event) => {
    const input = event.target.matches?.('.query input[name="q"]') ? event.target : null;
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!input || !/[\r\n]/.test(text)) return;
    event.preventDefault();
    const line = oneLine(text.trim(), opens(input.value.slice(0, input.selectionStart)));
    input.setRangeText(line, input.selectionStart, input.selectionEnd, "end");
    input.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertFromPaste", data: line }));
  });
}
