/**
 * Monaco, set up for programs that import `lab`: completion, hover texts and type problems are real. This
 * module is several megabytes with its workers and is imported only when the full editor is shown.
 */
import * as monaco from 'monaco-editor/editor'
import 'monaco-editor/features/bracketMatching/register'
import 'monaco-editor/features/caretOperations/register'
import 'monaco-editor/features/clipboard/register'
import 'monaco-editor/features/codeAction/register'
import 'monaco-editor/features/codicon/register'
import 'monaco-editor/features/comment/register'
import 'monaco-editor/features/contextmenu/register'
import 'monaco-editor/features/cursorUndo/register'
import 'monaco-editor/features/find/register'
import 'monaco-editor/features/folding/register'
import 'monaco-editor/features/format/register'
import 'monaco-editor/features/gotoError/register'
import 'monaco-editor/features/gotoLine/register'
import 'monaco-editor/features/hover/register'
import 'monaco-editor/features/indentation/register'
import 'monaco-editor/features/lineSelection/register'
import 'monaco-editor/features/linesOperations/register'
import 'monaco-editor/features/multicursor/register'
import 'monaco-editor/features/parameterHints/register'
import 'monaco-editor/features/quickCommand/register'
import 'monaco-editor/features/quickHelp/register'
import 'monaco-editor/features/readOnlyMessage/register'
import 'monaco-editor/features/rename/register'
import 'monaco-editor/features/smartSelect/register'
import 'monaco-editor/features/snippet/register'
// features/suggest registers no widget in 0.57, so the controller itself.
import 'monaco-editor/editor/contrib/suggest/browser/suggestController'
import 'monaco-editor/features/tokenization/register'
import 'monaco-editor/features/wordHighlighter/register'
import 'monaco-editor/features/wordOperations/register'
import 'monaco-editor/languages/definitions/typescript/register'
import {
  ModuleKind,
  ModuleResolutionKind,
  ScriptTarget,
  typescriptDefaults,
} from 'monaco-editor/languages/features/typescript/register'
import EditorWorker from 'monaco-editor/editor/editor.worker?worker'
import TypeScriptWorker from 'monaco-editor/languages/features/typescript/ts.worker?worker'
import labTypes from 'virtual:perturb/learner-types'
import { editorTheme } from './theme.ts'
import type { EditorFile, EditorProblem } from './types.ts'

export interface MonacoOptions {
  label: string
  tabLeaves: boolean
  isMac: boolean
  onChange(name: string, text: string): void
  onRun(): void
  /** The type checker's own problems, in all files. */
  onDiagnostics(problems: EditorProblem[]): void
  /** The learner pressed Ctrl+M: does Tab leave the editor now? */
  onTabLeaves(leaves: boolean): void
}

/** One editor on the page. */
export interface MonacoEditor {
  /** Takes a file in without showing it, so that showing it later costs less at once. */
  hold(file: EditorFile): void
  /** Shows the files; text that differs from what is shown replaces it, and can be undone. */
  show(files: readonly EditorFile[], active: string): void
  setProblems(problems: readonly EditorProblem[]): void
  setLabel(label: string): void
  setTabLeaves(leaves: boolean): void
  /** Reads the colour tokens again when light turned to dark or back. */
  setTheme(dark: boolean): void
  reveal(line: number, column: number): void
  focus(): void
  dispose(): void
}

const owner = 'perturb'
const theme = 'perturb'
const uriOf = (name: string) => monaco.Uri.parse(`file:///${name}`)
const severities: Record<EditorProblem['severity'], monaco.MarkerSeverity> = {
  error: monaco.MarkerSeverity.Error,
  warning: monaco.MarkerSeverity.Warning,
  note: monaco.MarkerSeverity.Info,
}

/** How long the first editor takes over its first frames. A worker that starts meanwhile makes them stutter on two cores. */
const firstFramesMs = 300
let comeToRest = () => {}
const atRest = new Promise<void>((resolve) => (comeToRest = resolve))

let isSetUp = false
function setUp(): void {
  if (isSetUp) return
  isSetUp = true
  Object.assign(globalThis, {
    MonacoEnvironment: {
      getWorker: (_: string, label: string) =>
        atRest.then(() => (label === 'typescript' ? new TypeScriptWorker() : new EditorWorker())),
    },
  })
  typescriptDefaults.setCompilerOptions({
    target: ScriptTarget.ESNext,
    module: ModuleKind.ESNext,
    moduleResolution: ModuleResolutionKind.NodeJs,
    // Every file is a module, so that two files may use one name and `await` may stand at the top.
    moduleDetection: 3,
    lib: ['es2023'],
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    noFallthroughCasesInSwitch: true,
    allowNonTsExtensions: true,
    noEmit: true,
  })
  typescriptDefaults.setEagerModelSync(true)
  typescriptDefaults.addExtraLib(labTypes, 'file:///lab.d.ts')
}

/** What the first editor would otherwise do all at once: the settings, then the services that a text needs. */
export const warmUp: readonly (() => void)[] = [
  setUp,
  () => monaco.editor.createModel('', 'plaintext').dispose(),
  // The sheet of styles for all editors comes with the first element that is coloured.
  () =>
    void monaco.editor.colorizeElement(document.createElement('span'), {
      mimeType: 'text/plain',
      theme: 'vs',
    }),
]

let isDark: boolean | undefined
/** Gives every editor of the page the colour tokens that `host` has. Before the first one, so that it costs that less. */
export function setTheme(host: HTMLElement, dark: boolean): void {
  if (dark === isDark) return
  const style = getComputedStyle(host)
  monaco.editor.defineTheme(
    theme,
    editorTheme((name) => style.getPropertyValue(name), dark),
  )
  monaco.editor.setTheme(theme)
  isDark = dark
}

/** Builds the editor inside `host`, which must have a size. */
export function createMonaco(host: HTMLElement, options: MonacoOptions): MonacoEditor {
  setUp()
  const editor = monaco.editor.create(host, {
    model: null,
    theme,
    ariaLabel: options.label,
    tabFocusMode: options.tabLeaves,
    automaticLayout: true,
    fixedOverflowWidgets: true,
    fontFamily: getComputedStyle(host).getPropertyValue('--mono') || 'monospace',
    fontSize: 13,
    lineHeight: 21,
    minimap: { enabled: false },
    scrollBeyondLastLine: false,
    renderLineHighlight: 'line',
    overviewRulerBorder: false,
    padding: { top: 10, bottom: 10 },
    tabSize: 2,
    wordBasedSuggestions: 'off',
    quickSuggestions: { other: true, comments: false, strings: false },
    readOnlyMessage: { value: 'This file is read only: your program is run by it. Write in the other file.' },
  })
  const models = new Map<string, monaco.editor.ITextModel>()
  /** A change of ours is not the learner's. */
  let showing = false

  // With preventDefault and no further travel: the page's own shortcut must not run it twice.
  editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter, () => options.onRun())
  // Monaco's own toggle is one for all editors and tells nobody.
  const control = options.isMac ? monaco.KeyMod.WinCtrl | monaco.KeyMod.Shift : monaco.KeyMod.CtrlCmd
  editor.addCommand(control | monaco.KeyCode.KeyM, () =>
    options.onTabLeaves(!editor.getOption(monaco.editor.EditorOption.tabFocusMode)),
  )
  const listeners = [
    editor.onDidChangeModelContent(() => {
      const model = editor.getModel()
      const name = [...models].find(([, known]) => known === model)?.[0]
      if (!showing && name && model) options.onChange(name, model.getValue())
    }),
    monaco.editor.onDidChangeMarkers(() => options.onDiagnostics(diagnostics())),
  ]

  function diagnostics(): EditorProblem[] {
    return [...models].flatMap(([file, model]) =>
      monaco.editor
        .getModelMarkers({ resource: model.uri })
        .filter((marker) => marker.owner !== owner && marker.severity >= monaco.MarkerSeverity.Warning)
        .map((marker) => ({
          severity:
            marker.severity === monaco.MarkerSeverity.Error ? ('error' as const) : ('warning' as const),
          message: marker.message,
          file,
          line: marker.startLineNumber,
          column: marker.startColumn,
          source: 'editor' as const,
        })),
    )
  }

  function hold({ name, text }: EditorFile): void {
    // A model of that name may be left from a lab that was open before.
    monaco.editor.getModel(uriOf(name))?.dispose()
    models.set(name, monaco.editor.createModel(text, 'typescript', uriOf(name)))
  }

  return {
    hold,
    show(files, active) {
      showing = true
      for (const [name, model] of models) {
        if (files.some((file) => file.name === name)) continue
        model.dispose()
        models.delete(name)
      }
      for (const file of files) {
        const model = models.get(file.name)
        if (!model) hold(file)
        else if (model.getValue() !== file.text)
          model.pushEditOperations([], [{ range: model.getFullModelRange(), text: file.text }], () => null)
      }
      const model = models.get(active)
      if (model && editor.getModel() !== model) {
        editor.setModel(model)
        setTimeout(comeToRest, firstFramesMs)
      }
      editor.updateOptions({ readOnly: files.find((file) => file.name === active)?.readOnly ?? true })
      showing = false
    },
    setProblems(problems) {
      for (const [name, model] of models) {
        const own = problems.filter(
          (problem) => problem.file === name && problem.line && problem.source !== 'editor',
        )
        const markers = own.map(({ severity, message, line = 1, column }) => ({
          severity: severities[severity],
          message,
          startLineNumber: line,
          startColumn:
            column ?? (model.getLineFirstNonWhitespaceColumn(Math.min(line, model.getLineCount())) || 1),
          endLineNumber: line,
          endColumn: model.getLineMaxColumn(Math.min(line, model.getLineCount())),
        }))
        monaco.editor.setModelMarkers(model, owner, markers)
      }
    },
    setLabel: (ariaLabel) => editor.updateOptions({ ariaLabel }),
    setTabLeaves: (tabFocusMode) => editor.updateOptions({ tabFocusMode }),
    setTheme: (dark) => setTheme(host, dark),
    reveal(line, column) {
      editor.setPosition({ lineNumber: line, column })
      editor.revealLineInCenterIfOutsideViewport(line)
      editor.focus()
    },
    focus: () => editor.focus(),
    dispose() {
      for (const listener of listeners) listener.dispose()
      editor.dispose()
      for (const model of models.values()) model.dispose()
    },
  }
}
