// The editor of a cell: CodeMirror with what a Python cell needs, in the colours of the book.
//
// It lives in a shadow tree, where its styles are a sheet of the tree and not an element: the page's
// policy allows no inline styles.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, temporarilySetTabFocusMode } from "@codemirror/commands";
import { python, pythonLanguage } from "@codemirror/lang-python";
import { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, drawSelection, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colour = (name, more = {}) => ({ color: `var(--md-code-hl-${name}-color)`, ...more });
const highlighting = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.operatorKeyword, tags.definitionKeyword, tags.moduleKeyword], ...colour("keyword") },
  { tag: [tags.string, tags.special(tags.string), tags.escape], ...colour("string") },
  { tag: [tags.number], ...colour("number") },
  { tag: [tags.bool, tags.null, tags.self], ...colour("constant") },
  { tag: [tags.comment, tags.lineComment], ...colour("comment") },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className), tags.meta], ...colour("function") },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "var(--md-code-bg-color)", color: "var(--md-code-fg-color)", borderRadius: "0.2rem" },
  "&.cm-focused": { outline: "2px solid var(--book-blue)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--md-code-font-family), monospace", fontSize: "0.68rem", lineHeight: "1.5", overflowX: "auto" },
  ".cm-content": { padding: "0.7em 0.4em", caretColor: "var(--book-ink)" },
  ".cm-gutters": { backgroundColor: "transparent", border: "none", color: "var(--book-quiet)" },
  ".cm-cursor": { borderLeftColor: "var(--book-ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "color-mix(in srgb, var(--book-blue) 25%, transparent) !important" },
  ".cm-matchingBracket": { backgroundColor: "color-mix(in srgb, var(--book-green) 25%, transparent) !important" },
  ".cm-fault": { backgroundColor: "color-mix(in srgb, var(--book-red) 18%, transparent)", boxShadow: "-0.25rem 0 0 var(--book-red)" },
  ".cm-tooltip": { backgroundColor: "var(--book-paper)", border: "1px solid var(--book-rule)", color: "var(--book-ink)" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--md-code-font-family), monospace", fontSize: "0.66rem" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--book-blue) !important", color: "var(--book-paper) !important" },
});

const setFault = StateEffect.define();
const fault = StateField.define({
  create: () => Decoration.none,
  update(marks, change) {
    for (const effect of change.effects)
      if (effect.is(setFault)) {
        const number = effect.value;
        if (!number || number > change.state.doc.lines) return Decoration.none;
        const { from } = change.state.doc.line(number);
        return Decoration.set([Decoration.line({ class: "cm-fault" }).range(from)]);
      }
    return change.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/**
 * Put an editor into an element.
 *
 * @param {HTMLElement} host gets a shadow tree
 * @param {{text: string, label: string, onChange: (text: string) => void, onRun: () => void, names: () => string[], hasNumbers?: boolean}} about
 */
export function createEditor(host, { text, label, onChange, onRun, names, hasNumbers }) {
  const root = host.attachShadow({ mode: "open" });
  // From outside nobody sees that a key is pressed in an editor: the page's shortcuts would take it.
  for (const kind of ["keydown", "keypress", "keyup"]) host.addEventListener(kind, (event) => event.stopPropagation());
  const known = (context) => {
    const word = context.matchBefore(/\w+/);
    if (!word) return null;
    return { from: word.from, options: names().map((name) => ({ label: name, type: "variable" })) };
  };
  const run = () => (onRun(), true);
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        history(),
        hasNumbers ? lineNumbers() : [],
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ activateOnTyping: true }),
        python(),
        pythonLanguage.data.of({ autocomplete: known }),
        indentUnit.of("    "),
        syntaxHighlighting(highlighting),
        look,
        fault,
        keymap.of([
          { key: "Shift-Enter", run },
          { key: "Mod-Enter", run },
          // After Escape the next Tab leaves the editor.
          ...completionKeymap,
          { key: "Escape", run: temporarilySetTabFocusMode },
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...historyKeymap,
          indentWithTab,
        ]),
        EditorView.contentAttributes.of({
          "aria-label": label,
          "aria-description": "Shift and Enter runs it. Escape, then Tab, leaves it.",
          tabindex: "0",
          autocapitalize: "off",
          autocorrect: "off",
          spellcheck: "false",
        }),
        EditorView.updateListener.of((update) => update.docChanged && onChange(update.state.doc.toString())),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    set text(to) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: to } });
    },
    mark: (line) => view.dispatch({ effects: setFault.of(line) }),
    focus: () => view.focus(),
  };
}
