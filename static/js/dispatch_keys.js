/* The dispatch page by keyboard, as in a sheet. Text of several lines and input methods keep their own keys. */

if (sheet) {
  const help = document.querySelector("[data-keys]")
  const shown = (e) => e && e.offsetParent && !e.disabled
  const cellsOf = (block) => sheet.inputs(block).filter(shown)
  const isNumber = (e) => e.inputMode === "decimal"

  function go(cell) {
    if (!cell) return false
    cell.focus()
    if (cell.select && cell.tagName === "INPUT" && cell.type !== "date") cell.select()
    cell.scrollIntoView({ block: "nearest" })
    return true
  }
  sheet.go = go

  /** The same cell of the project `step` further, unfolded; the first one when it has no such cell. */
  function project(block, step, cell) {
    const all = sheet.blocks()
    const next = all[all.indexOf(block) + step]
    if (!next) return false
    page.dispatchEvent(new CustomEvent("sheet:turn", { detail: { block: next } }))
    next.open = true
    const field = cell?.name?.slice(block.dataset.block.length + 1).replace(/_\d+$/, "")
    const twin = cellsOf(next).find((c) => c.name.slice(next.dataset.block.length + 1).replace(/_\d+$/, "") === field)
    const found = go(twin ?? cellsOf(next)[0])
    next.scrollIntoView({ block: "nearest" })
    return found
  }
  sheet.project = project

  function vertical(cell, step) {
    const row = cell.closest("tbody tr")
    const block = cell.closest("[data-block]")
    if (row) {
      const column = [...row.querySelectorAll("input")].indexOf(cell)
      const next = step > 0 ? row.nextElementSibling : row.previousElementSibling
      const below = next?.querySelectorAll("input")[column]
      if (below) return go(below)
    }
    return project(block, step, cell)
  }

  function horizontal(cell, step) {
    const block = cell.closest("[data-block]")
    const all = cellsOf(block)
    return go(all[all.indexOf(cell) + step])
  }

  /** On with Enter: the next cell, at the end the button that hands in. */
  function onward(cell, step) {
    const block = cell.closest("[data-block]")
    const stops = [...cellsOf(block), block.querySelector("[data-submit]")].filter(shown)
    return go(stops[stops.indexOf(cell) + step]) || project(block, step)
  }

  /* ── one undo for all that was typed, pasted or set back; inside a cell that is being typed the browser's own comes first ── */
  const done = []
  const undone = []
  let entered = null // the cell and its value when it was entered

  const note = (changes) => { if (changes.length) { done.push(changes); undone.length = 0 } }
  function leave() {
    if (entered && entered.cell.isConnected && entered.cell.value !== entered.value) {
      note([{ name: entered.cell.name, old: entered.value, now: entered.cell.value }])
    }
    entered = null
  }
  page.addEventListener("focusin", ({ target }) => {
    leave()
    if (target.closest("[data-cell]")) entered = { cell: target, value: target.value }
  })

  /** Write many cells as one step that can be taken back. */
  sheet.change = (changes) => {
    leave()
    const all = Object.entries(changes).map(([name, now]) => ({ name, now, old: page.querySelector(`[name="${CSS.escape(name)}"]`)?.value }))
    const real = all.filter((c) => c.old !== undefined && c.old !== c.now)
    sheet.write(Object.fromEntries(real.map((c) => [c.name, c.now])))
    note(real)
    if (document.activeElement?.closest?.("[data-cell]")) entered = { cell: document.activeElement, value: document.activeElement.value }
    return real.length
  }

  function step(from, to, side) {
    leave()
    const changes = from.pop()
    if (!changes) return say(side === "old" ? "没有可以撤销的了。" : "没有可以重做的了。")
    to.push(changes)
    sheet.write(Object.fromEntries(changes.map((c) => [c.name, c[side]])))
    const first = page.querySelector(`[name="${CSS.escape(changes[0].name)}"]`)
    if (first) {
      first.closest("[data-block]").open = true
      go(first)
      entered = { cell: first, value: first.value }
    }
    if (changes.length > 1) say(`已${side === "old" ? "撤销" : "重做"} ${changes.length} 格。`)
  }
  sheet.undo = () => step(done, undone, "old")
  page.addEventListener("sheet:receipt", ({ detail }) => {
    const own = ({ name }) => name.startsWith(`${detail.block.dataset.block}-`)
    for (const list of [done, undone]) {
      const left = list.map((changes) => changes.filter((c) => !own(c))).filter((changes) => changes.length)
      list.splice(0, list.length, ...left)
    }
    entered = null
  })

  function press(block, selector) {
    const button = block.querySelector(selector)
    if (shown(button)) button.click()
  }

  function withControl(event, cell, block) {
    const { key, shiftKey } = event
    if (key === "Enter") press(block, shiftKey ? "[data-same]" : "[data-submit]")
    else if (key === "ArrowDown" || key === "ArrowUp") project(block, key === "ArrowDown" ? 1 : -1, cell)
    else if (key.toLowerCase() === "s") press(block, "button[value^='save:']")
    else if (key.toLowerCase() === "z" || key.toLowerCase() === "y") {
      if (entered?.cell === cell && cell.value !== entered.value && !shiftKey) return // the browser's own
      const isRedo = shiftKey || key.toLowerCase() === "y"
      isRedo ? step(undone, done, "now") : sheet.undo()
    } else return
    event.preventDefault()
  }

  function back(cell) {
    const before = sheet.before(cell.closest("[data-cell]"))
    const value = before !== undefined && cell.value !== before ? before : sheet.initial(cell)
    if (value === cell.value) return
    sheet.change({ [cell.name]: value })
    go(cell)
  }

  page.addEventListener("keydown", (event) => {
    const { target: cell, key } = event
    const block = cell.closest("[data-block]")
    if (event.isComposing || event.keyCode === 229 || !block || event.altKey) return
    if (event.ctrlKey || event.metaKey) return withControl(event, cell, block)
    if (!cell.closest("[data-cell]") || !cell.matches("input:not([type=radio]), textarea")) return
    if (key === "PageDown" || key === "PageUp") {
      event.preventDefault()
      project(block, key === "PageDown" ? 1 : -1, cell)
      return
    }
    if (cell.matches("textarea")) return
    if (key === "Enter") {
      event.preventDefault()
      onward(cell, event.shiftKey ? -1 : 1)
    } else if (key === "Escape") {
      event.preventDefault()
      back(cell)
    } else if (cell.type !== "date") arrows(event, cell)
  })

  function arrows(event, cell) {
    const { key } = event
    const isWhole = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length
    const isStart = isWhole || cell.selectionEnd === 0
    const isEnd = isWhole || cell.selectionStart === cell.value.length
    const moved = key === "ArrowDown" ? vertical(cell, 1) || true
      : key === "ArrowUp" ? vertical(cell, -1) || true
      : key === "ArrowLeft" && isStart && !event.shiftKey ? horizontal(cell, -1)
      : key === "ArrowRight" && isEnd && !event.shiftKey ? horizontal(cell, 1) : false
    if (moved) event.preventDefault()
  }

  /* ── help, and into the sheet from anywhere ── */
  document.addEventListener("keydown", (event) => {
    const { target, key } = event
    if (event.isComposing || document.querySelector("dialog[open]")) return
    const isTyping = target.matches("textarea, select, input:not([inputmode=decimal])")
    if (key === "F2" || ("?？".includes(key) && !isTyping)) {
      event.preventDefault()
      help.showModal()
    } else if (target === document.body && ["ArrowDown", "Enter", "PageDown"].includes(key)) {
      const open = sheet.blocks().find((block) => block.open)
      if (open && go(cellsOf(open)[0])) event.preventDefault()
    }
  })
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => document.querySelector(button.dataset.opens).showModal())
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close() })
  }
  help.addEventListener("close", () => entered?.cell.focus())

  if (matchMedia("(pointer: fine) and (min-width: 56rem)").matches && !location.hash && document.activeElement === document.body) {
    const first = sheet.blocks().find((block) => block.open)
    if (first) cellsOf(first)[0]?.focus({ preventScroll: true })
  }
}
