// The sheet of monthly plans: arrows and Enter move between cells, a block pasted from a spreadsheet fills them, changed ones are marked.
(() => {
  const form = document.querySelector("[data-plans]")
  if (!form) return
  const told = form.querySelector("[data-changed]")
  const grid = [...form.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("input[data-was]")]).filter((row) => row.length)
  const place = (input) => {
    const y = grid.findIndex((row) => row.includes(input))
    return [y, y < 0 ? -1 : grid[y].indexOf(input)]
  }
  const go = (y, x) => {
    const input = grid[y]?.[x]
    if (input) { input.focus(); input.select() }
    return Boolean(input)
  }
  const mark = () => {
    let changed = 0
    for (const input of grid.flat()) {
      const is = input.value.trim() !== input.dataset.was
      input.classList.toggle("is-changed", is)
      changed += is
    }
    told.textContent = changed ? `已改 ${changed} 格，尚未保存` : ""
    return changed
  }
  const plain = (text) => text.normalize("NFKC").replace(/[,\s%]/g, "").replace(/^[-—–/]+$/, "")

  form.addEventListener("keydown", (event) => {
    const [y, x] = place(event.target)
    if (y < 0) return
    if (event.ctrlKey && event.key === "s") { event.preventDefault(); form.requestSubmit(); return }
    const whole = event.target.selectionStart === 0 && event.target.selectionEnd === event.target.value.length
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [event.shiftKey ? -1 : 1, 0] }
    if (whole || !event.target.value) Object.assign(steps, { ArrowLeft: [0, -1], ArrowRight: [0, 1] })
    if (event.key === "Escape") { event.target.value = event.target.dataset.was; mark(); return }
    const step = steps[event.key]
    if (step) { event.preventDefault(); go(y + step[0], x + step[1]) }
  })
  form.addEventListener("paste", (event) => {
    const [y, x] = place(event.target)
    const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n$/, "")
    if (y < 0 || !/[\t\n]/.test(text)) return
    event.preventDefault()
    let left = 0
    text.split("\n").forEach((line, down) => line.split("\t").forEach((cell, right) => {
      const input = grid[y + down]?.[x + right]
      if (input) input.value = plain(cell)
      else left += 1
    }))
    mark()
    if (left) told.textContent += `；有 ${left} 格在表外，没有粘贴`
  })
  form.addEventListener("input", mark)
  form.addEventListener("submit", () => { window.removeEventListener("beforeunload", warn) })
  const warn = (event) => { if (mark()) event.preventDefault() }
  window.addEventListener("beforeunload", warn)
  mark()
})()
