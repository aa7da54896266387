/** Hands a file to the learner by the browser's own download; works without a secure context. */
export function offerFile(name: string, bytes: Uint8Array<ArrayBuffer>, type = 'application/json'): void {
  const url = URL.createObjectURL(new Blob([bytes], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  document.body.append(link)
  link.click()
  link.remove()
  // The download reads the blob after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
