/* A button with data-copy="#id" puts that element's words on the clipboard; without this file the button stays hidden. */

document.addEventListener("htmx:load", ({ detail }) => {
  for (const button of detail.elt.querySelectorAll("[data-copy]")) button.hidden = false
})

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]")
  if (!button) return
  const source = document.querySelector(button.dataset.copy)
  button.label ??= button.textContent
  button.textContent = (await copied(source)) ? "已复制" : "没有复制成功：文字已选中，请按 Ctrl+C"
  clearTimeout(button.timer)
  button.timer = setTimeout(() => { button.textContent = button.label }, 3000)
})

/** The clipboard is only given to secure addresses; on the office's plain http the words are selected and copied the old way. */
async function copied(source) {
  const parts = source.children.length ? [...source.children] : [source]
  const text = parts.map((part) => part.textContent.replace(/\s+/g, "")).join("\n")
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    getSelection().selectAllChildren(source)
    return document.execCommand("copy")
  }
}
