/** Inner modules of the pinned Monaco that are loaded ahead for their evaluation alone; they ship no types. */
declare module 'monaco-editor/editor/common/*'
declare module 'monaco-editor/editor/browser/*'
declare module 'monaco-editor/editor/standalone/*'
declare module 'monaco-editor/editor/contrib/*'
declare module 'monaco-editor/platform/*'
