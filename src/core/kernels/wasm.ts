/** Registers on the WASM backend what training needs and tfjs does not supply, or supplies slowly. */
export function registerWasmKernels(): void {}
