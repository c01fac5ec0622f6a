/* A ledger under the hands: cells by keyboard, their history and source beside the table, values typed in place, columns in order. */

const menus = () => document.querySelectorAll("details.menu[open]")
const table = () => document.querySelector(".ledger-table")
const keysDialog = document.getElementById("keys")

document.addEventListener("htmx:load", prepare)
prepare()

function prepare() {
  const sheet = document.getElementById("column-sheet")
  const wanted = table()?.dataset.sheet
  if (wanted && wanted !== sheet.getAttribute("href")) sheet.href = wanted
  for (const button of document.querySelectorAll("[data-keys]")) button.hidden = false
  for (const form of document.querySelectorAll("[data-columns]:not(.is-ready), [data-ordered]:not(.is-ready)")) prepareColumns(form)
  const cell = table()?.querySelector("tbody td")
  if (cell && !table().querySelector("td[tabindex='0']")) cell.tabIndex = 0
}

/* ── menus: one open at a time, closed by a click elsewhere or Esc ── */
document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false
  if (event.target.closest("[data-keys]")) toggleKeys()
})

/* A button that cannot be taken back asks first. */
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-ask]")
  if (button && !confirm(button.dataset.ask)) event.preventDefault()
})

async function toggleKeys() {
  if (keysDialog.open) return keysDialog.close()
  if (!keysDialog.firstElementChild) await htmx.ajax("GET", keysDialog.dataset.from, { target: keysDialog, swap: "innerHTML" })
  if (keysDialog.firstElementChild && !keysDialog.open) keysDialog.showModal() // not there when the line is down, open when asked twice
}

/* ── columns: dragged, or moved by buttons; the address gets them in one parameter ── */
function prepareColumns(form) {
  form.classList.add("is-ready")
  for (const item of form.querySelectorAll("li:has(input[name=cols]:not(:disabled))")) {
    item.draggable = true
    item.append(moveButton("↑", "上移", (li) => movable(li.previousElementSibling)?.before(li)))
    item.append(moveButton("↓", "下移", (li) => li.nextElementSibling?.after(li)))
  }
  let dragged = null
  form.addEventListener("dragstart", (event) => { dragged = event.target.closest("li") })
  form.addEventListener("dragover", (event) => {
    const over = event.target.closest("li[draggable]")
    if (!dragged || !over || over === dragged) return
    event.preventDefault()
    const { top, height } = over.getBoundingClientRect()
    if (event.clientY < top + height / 2) over.before(dragged)
    else over.after(dragged)
  })
  form.addEventListener("drop", (event) => event.preventDefault())
  if (form.matches("[data-columns]")) form.addEventListener("submit", (event) => {
    event.preventDefault()
    const data = new FormData(form)
    const chosen = data.getAll("cols")
    data.delete("cols")
    const address = new URLSearchParams(data)
    location.assign(`${location.pathname}?${[address.toString(), `cols=${chosen.join(",")}`].filter(Boolean).join("&")}`)
  })
}

const movable = (item) => item?.draggable ? item : null

function moveButton(sign, words, move) {
  const made = document.createElement("button")
  made.type = "button"
  made.textContent = sign
  made.className = "move"
  made.ariaLabel = words
  made.addEventListener("click", () => {
    move(made.closest("li"))
    made.focus()
  })
  return made
}

/* ── cut text is whole in its tooltip ── */
document.addEventListener("mouseover", (event) => {
  const box = event.target.closest?.(".ledger-table td > p")
  if (box && !box.title) box.title = box.textContent
})

/* ── the keyboard ── */
const isTyping = (target) => target.closest("input, select, textarea, [contenteditable], dialog[open]")

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === "Escape" && !event.target.closest("dialog")) return escape(event)
  if (isTyping(event.target)) return
  if (event.key === "/") { event.preventDefault(); document.querySelector("#id_q")?.focus() }
  else if (event.key === "?") { event.preventDefault(); toggleKeys() }
  else if (event.target.matches(".ledger-table tbody td")) inCell(event)
})

function escape() {
  for (const menu of menus()) menu.open = false
  closePanel()
}

function inCell(event) {
  const cell = event.target
  const next = {
    ArrowLeft: () => cell.previousElementSibling,
    ArrowRight: () => cell.nextElementSibling,
    ArrowUp: () => cellOf(cell, -1),
    ArrowDown: () => cellOf(cell, 1),
    PageUp: () => cellOf(cell, -10),
    PageDown: () => cellOf(cell, 10),
    Home: () => cell.parentElement.firstElementChild,
    End: () => cell.parentElement.lastElementChild,
  }[event.key]
  if (next) { event.preventDefault(); goTo(next()) }
  else if (event.key === "Enter") { event.preventDefault(); openCell(cell) }
  else if (event.key === "F2") { event.preventDefault(); editCell(cell) }
}

/** The cell of the same column `step` rows away, past the heads of groups; the last there is when they run out. */
function cellOf(cell, step) {
  const rows = [...cell.closest("tbody").rows].filter((row) => row.dataset.k !== undefined)
  const place = Math.min(Math.max(rows.indexOf(cell.parentElement) + step, 0), rows.length - 1)
  return rows[place].cells[cell.cellIndex]
}

function goTo(cell) {
  if (!cell) return
  for (const old of table().querySelectorAll("td[tabindex='0']")) old.removeAttribute("tabindex")
  cell.tabIndex = 0
  cell.focus({ preventScroll: true })
  cell.scrollIntoView({ block: "nearest", inline: "nearest" })
}

/* ── a cell opens: who wrote what when, where it comes from, and a field where the person may write ── */
document.addEventListener("click", (event) => {
  const cell = event.target.closest(".ledger-table tbody tr[data-k] > td")
  if (!cell || event.target.closest("a, button, input, select, textarea")) return
  if (!getSelection().isCollapsed) return
  goTo(cell)
})
document.addEventListener("dblclick", (event) => {
  const cell = event.target.closest(".ledger-table tbody tr[data-k] > td")
  if (cell && !event.target.closest("a, input, select, textarea, button, .cell-editor")) editCell(cell)
})

let opened = null

async function openCell(cell) {
  const key = cell.parentElement.dataset.k
  const column = cell.closest("table").tHead.rows[1].cells[cell.cellIndex]?.dataset.c
  if (key === undefined || !column) return
  const address = new URLSearchParams(location.search)
  address.set("row", key)
  address.set("col", column)
  address.delete("saved")
  opened = cell
  await htmx.ajax("GET", `/ledgers/${table().dataset.ledger}/cell/?${address}`, { target: "#cell-panel", swap: "innerHTML" })
  const panel = document.getElementById("cell-panel")
  panel.hidden = false
  panel.querySelector("h2")?.focus()
}

function closePanel() {
  const panel = document.getElementById("cell-panel")
  if (!panel || panel.hidden) return
  panel.hidden = true
  panel.replaceChildren()
  if (opened?.isConnected) goTo(opened)
}

document.addEventListener("click", (event) => { if (event.target.closest("[data-close-panel]")) closePanel() })

/* ── typed in place: the field stands in the cell, errors beside it; Esc gives the cell back as it was ── */
let editing = null // { cell, before }

async function editCell(cell) {
  if (editing) cancelEdit()
  const key = cell.parentElement.dataset.k
  const column = cell.closest("table").tHead.rows[1].cells[cell.cellIndex]?.dataset.c
  if (key === undefined || !column) return
  const address = new URLSearchParams(location.search)
  for (const [name, value] of [["row", key], ["col", column], ["part", "edit"]]) address.set(name, value)
  const answer = await fetch(`/ledgers/${table().dataset.ledger}/cell/?${address}`, { headers: { "HX-Request": "true" } })
  if (answer.status !== 200 || answer.redirected) return openCell(cell)
  editing = { cell, before: cell.innerHTML }
  const box = document.createElement("div")
  box.className = "cell-editor-box"
  box.innerHTML = await answer.text()
  cell.classList.add("is-edited")
  cell.append(box)
  htmx.process(box)
  focusField()
}

function focusField() {
  const form = document.querySelector(".cell-editor")
  const field = form?.querySelector(form.textContent.includes("须写明理由") ? "[name=reason]" : "[data-value]")
  field?.focus()
  field?.select?.()
}

function cancelEdit() {
  if (!editing) return
  const { cell, before } = editing
  editing = null
  if (!cell.isConnected) return
  cell.classList.remove("is-edited")
  cell.innerHTML = before
  goTo(cell)
}

document.addEventListener("htmx:afterSwap", () => { if (editing) focusField() })
document.addEventListener("keydown", (event) => {
  if (!event.target.closest?.(".cell-editor")) return
  if (event.key === "Escape") { event.stopPropagation(); cancelEdit() }
  else if (event.key === "Enter" && !event.target.matches("textarea, button")) { event.preventDefault(); event.target.form.requestSubmit() }
})
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-cancel-edit]")) cancelEdit()
  else if (event.target.closest("[data-keep-theirs]")) { cancelEdit(); refresh() }
  else if (event.target.closest("[data-edit-cell]") && opened) { const cell = opened; closePanel(); editCell(cell) }
})

/** The table anew, with the cell that was written under the hand. */
async function refresh(row, column) {
  const inner = document.querySelector(".ledger-scroll")
  const place = inner ? [inner.scrollLeft, inner.scrollTop] : [0, 0]
  await htmx.ajax("GET", location.pathname + location.search, { target: "#ledger", swap: "outerHTML" })
  document.querySelector(".ledger-scroll")?.scrollTo(...place)
  const line = row && [...table().tBodies[0].rows].find((one) => one.dataset.k === row)
  const at = [...(table()?.tHead.rows[1].cells ?? [])].findIndex((one) => one.dataset.c === column)
  if (line && at >= 0) goTo(line.cells[at])
}

document.body.addEventListener("cell-written", async ({ detail }) => {
  editing = null
  await refresh(detail.row, detail.col)
  if (detail.old === undefined) return say("没有变化。")
  if (detail.isUndo) return say(`已撤销：“${detail.heading}”恢复为“${detail.new || "空"}”。`)
  say(`“${detail.heading}”由“${detail.old || "空"}”改为“${detail.new || "空"}”。${detail.remark ?? ""}`, button("撤销", () => undo(detail)))
})

/** A change that takes the last one back, as long as the cell still holds it. */
function undo({ row, col, old }) {
  const values = { row, col, value: old, undo: "1" }
  document.querySelector(".toast").hidden = true
  htmx.ajax("POST", `/ledgers/${table().dataset.ledger}/cell/${location.search}`, { values, target: "#undo-answer", swap: "innerHTML" })
}

/* ── beside another day: n goes to the next change, Shift+n to the one before, round the page ── */
const CHANGES = "td.is-changed, tr.is-added > td:first-child, tr.is-removed > td:first-child"

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "n" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
  const changes = [...(table()?.tBodies[0]?.querySelectorAll(CHANGES) ?? [])]
  if (!changes.length) return
  event.preventDefault()
  const here = document.activeElement.closest?.(".ledger-table tbody td")
  const isBehind = (cell) => !here || here.compareDocumentPosition(cell) & Node.DOCUMENT_POSITION_FOLLOWING
  const isBefore = (cell) => here && here.compareDocumentPosition(cell) & Node.DOCUMENT_POSITION_PRECEDING
  goTo(event.shiftKey ? changes.findLast(isBefore) ?? changes.at(-1) : changes.find(isBehind) ?? changes[0])
})

/* ── a paper takes its time: say so while it is made, and why it was not ── */
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-printed]")
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  if (link.ariaBusy === "true") return
  link.ariaBusy = "true"
  say("正在排版 PDF，行多时需要十几秒……")
  try {
    const answer = await fetch(link.href)
    if (!answer.ok || answer.redirected) return location.assign(link.href) // the page that says why
    saveAs(await answer.blob(), nameOf(answer) ?? "台账.pdf")
    say("PDF 已生成。")
  } catch {
    say("PDF 没有取回：请检查网络后再试。")
  } finally {
    link.ariaBusy = "false"
  }
})

const nameOf = (answer) => {
  const said = answer.headers.get("Content-Disposition")?.match(/filename\*=utf-8''([^;]+)/i)
  return said && decodeURIComponent(said[1])
}

function saveAs(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
