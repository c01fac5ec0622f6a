/* A ledger under the hands: cells by keyboard, their history and source beside the table, values typed in place, columns in order. */

const menus = () => document.querySelectorAll("details.menu[open]")
const table = () => document.querySelector(".ledger-table")
const keysDialog = document.getElementById("keys")
let orderedBy = "" // the heading that was pressed by key: the focus is there again when the table comes anew

document.addEventListener("htmx:load", prepare)
prepare()

function prepare() {
  const sheet = document.getElementById("column-sheet")
  const wanted = table()?.dataset.sheet
  if (wanted && wanted !== sheet.getAttribute("href")) sheet.href = wanted
  for (const button of document.querySelectorAll("[data-keys]")) button.hidden = false
  for (const form of document.querySelectorAll("[data-columns]:not(.is-ready), [data-ordered]:not(.is-ready)")) prepareColumns(form)
  if (!table()) return
  const cell = rowsOf(table())[0]?.cells[0]
  if (cell && !table().querySelector("td[tabindex='0']")) cell.tabIndex = 0
  if (!table().querySelector("thead a[tabindex]")) for (const [n, head] of heads().entries()) head.tabIndex = n ? -1 : 0
  if (orderedBy) goTo(heads().find((head) => head.closest("th").dataset.c === orderedBy))
  orderedBy = ""
}

/** What orders the rows: one stop for the tab key, arrows go from one to the next. */
function heads() {
  return [...table().tHead.querySelectorAll("a")]
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
const isTyping = (target) => target.closest("input, select, textarea, [contenteditable], dialog[open], .cell-editor")

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  if (event.key === "Escape" && !event.target.closest("dialog")) return escape()
  if (isTyping(event.target)) return
  if (event.key === "/") { event.preventDefault(); document.querySelector("#id_q")?.focus() }
  else if (event.key === "?") { event.preventDefault(); toggleKeys() }
  else if (event.key === "t") { event.preventDefault(); toTable() }
  else if (event.target.matches(".ledger-table tbody td")) inCell(event)
  else if (event.target.matches(".ledger-table thead a")) inHead(event)
})

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-to-table]")) return
  event.preventDefault()
  toTable()
})

/** To the cell where the hand was last. */
function toTable() {
  if (!table()) return
  table().scrollIntoView({ block: "nearest" })
  goTo(table().querySelector("tbody td[tabindex='0']"))
}

function escape() {
  for (const menu of menus()) menu.open = false
  if (document.getElementById("cell-panel")?.hidden === false) closePanel()
  else cancelEdit()
}

function inCell(event) {
  const cell = event.target
  const next = {
    ArrowLeft: () => cell.previousElementSibling,
    ArrowRight: () => cell.nextElementSibling,
    ArrowUp: () => cellOf(cell, -1) === cell ? headOf(cell) : cellOf(cell, -1),
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

function inHead(event) {
  const all = heads(), here = all.indexOf(event.target)
  const next = {
    ArrowLeft: () => all[here - 1],
    ArrowRight: () => all[here + 1],
    ArrowDown: () => rowsOf(table())[0]?.cells[event.target.closest("th").cellIndex],
    Home: () => all[0],
    End: () => all.at(-1),
  }[event.key]
  if (next) { event.preventDefault(); goTo(next()) }
  else if (event.key === "Enter") orderedBy = event.target.closest("th").dataset.c
}

/** The heading of the cell's column, or the next one to the left that orders the rows. */
function headOf(cell) {
  return heads().findLast((head) => head.closest("th").cellIndex <= cell.cellIndex) ?? heads()[0]
}

function rowsOf(part) {
  return [...part.querySelectorAll("tbody > tr[data-k]")]
}

/** The cell of the same column `step` rows away, past the heads of groups; the last there is when they run out. */
function cellOf(cell, step) {
  const rows = rowsOf(cell.closest("table"))
  const place = Math.min(Math.max(rows.indexOf(cell.parentElement) + step, 0), rows.length - 1)
  return rows[place].cells[cell.cellIndex]
}

/** The focus to a cell or a heading, which is then the one of its kind that the tab key finds. */
function goTo(cell) {
  if (!cell) return
  if (cell.matches("a")) for (const head of heads()) head.tabIndex = -1
  else for (const old of table().querySelectorAll("td[tabindex='0']")) old.removeAttribute("tabindex")
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
  if (event.pointerType === "touch") openCell(cell) // a finger has no Enter and does not find a small button
})
document.addEventListener("dblclick", (event) => {
  const cell = event.target.closest(".ledger-table tbody tr[data-k] > td")
  if (cell && !event.target.closest("a, input, select, textarea, button")) editCell(cell)
})

/** What names the cell: its row and its column; nothing for cells that hold no value of a row. */
function nameOf(cell) {
  const row = cell.parentElement.dataset.k
  const col = cell.closest("table").tHead.rows[1].cells[cell.cellIndex]?.dataset.c
  return row === undefined || !col ? null : { row, col }
}

function cellAt({ row, col }) {
  const line = table() && [...table().tBodies[0].rows].find((one) => one.dataset.k === row)
  const at = line ? [...table().tHead.rows[1].cells].findIndex((one) => one.dataset.c === col) : -1
  return at < 0 ? null : line.cells[at]
}

const cellAddress = (query) => `/ledgers/${table().dataset.ledger}/cell/${query}`

let opened = null // what names the cell in the panel

async function openCell(cell) {
  const name = cell && nameOf(cell)
  if (!name) return
  const address = new URLSearchParams(location.search)
  for (const part in name) address.set(part, name[part])
  address.delete("saved")
  opened = name
  await htmx.ajax("GET", cellAddress(`?${address}`), { target: "#cell-panel", swap: "innerHTML" })
  const panel = document.getElementById("cell-panel")
  panel.hidden = false
  panel.querySelector("h2")?.focus()
}

function closePanel() {
  const panel = document.getElementById("cell-panel")
  if (!panel || panel.hidden) return
  panel.hidden = true
  panel.replaceChildren()
  if (editing) focusField()
  else goTo(cellAt(opened))
}

/* The cell that has the focus bears a button to its history, for those who come by mouse; the keyboard has Enter. */
const more = button("", () => openCell(more.cell))
more.className = "cell-more"
more.tabIndex = -1
more.ariaLabel = more.title = "来源和变更记录（Enter）"

document.addEventListener("focusin", ({ target }) => {
  if (target === more) return
  more.cell = target.matches(".ledger-table tbody tr[data-k] > td") ? target : null
  if (more.cell) more.cell.closest(".ledger-scroll").append(more)
  else more.remove()
  placeMore()
})

function placeMore() {
  if (!more.cell?.isConnected) return more.remove()
  const frame = more.parentElement
  const [inner, outer] = [more.cell.getBoundingClientRect(), frame.getBoundingClientRect()]
  more.style.left = `${inner.right - outer.left + frame.scrollLeft - frame.clientLeft - more.offsetWidth}px`
  more.style.top = `${inner.bottom - outer.top + frame.scrollTop - frame.clientTop}px`
}

/* ── typed in place: the field stands over its cell, errors beside it; Esc leaves the cell as it was ── */
let editing = null // what names the cell: { row, col }
const editor = document.getElementById("cell-editor") // not on the pages around a ledger
if (editor) new ResizeObserver(placeEditor).observe(editor)
for (const [target, name] of [[document, "scroll"], [window, "resize"], [visualViewport, "resize"]]) {
  target.addEventListener(name, () => { placeEditor(); placeMore() }, { capture: true, passive: true })
}

/** What the cell says to the eye, without the remarks for those who do not see and what was in it on another day. */
function textOf(cell) {
  const copy = cell.cloneNode(true)
  for (const remark of copy.querySelectorAll(".was, .apart, .visually-hidden")) remark.remove()
  return copy.textContent
}

async function editCell(cell) {
  const name = nameOf(cell)
  if (!name) return
  getSelection().removeAllRanges() // a double click marks the word under it
  const answer = await fetch(cellAddress(location.search), {
    method: "POST",
    headers: { "HX-Request": "true", ...JSON.parse(document.body.getAttribute("hx-headers")) },
    body: new URLSearchParams({ ...name, part: "edit", shown: textOf(cell) }),
  })
  if (answer.status !== 200 || answer.redirected) return openCell(cell)
  cancelEdit()
  editor.innerHTML = await answer.text()
  htmx.process(editor)
  showEditor(name)
}

function showEditor(name) {
  editing = name
  closePanel()
  cellAt(name)?.classList.add("is-edited")
  editor.hidden = false
  placeEditor()
  focusField()
}

/** Over its cell and wholly in sight, whatever the frame of the table cuts off; narrow windows have it at the foot (`ledgers.css`). */
function placeEditor() {
  if (!editing) return
  const edge = 8
  const { clientWidth, clientHeight } = document.documentElement
  const at = cellAt(editing)?.getBoundingClientRect() ?? { left: clientWidth / 2 - editor.offsetWidth / 2, top: clientHeight / 4 }
  const within = (place, most) => `${Math.max(edge, Math.min(place, most - edge))}px`
  editor.style.setProperty("--left", within(at.left, clientWidth - editor.offsetWidth))
  editor.style.setProperty("--top", within(at.top, clientHeight - editor.offsetHeight))
  editor.style.setProperty("--keyboard", `${Math.max(0, innerHeight - visualViewport.height - visualViewport.offsetTop)}px`)
}

/** Where two values stand side by side the hand rests on what changes nothing: nobody overwrites by a second Enter. */
function focusField() {
  const form = editor.querySelector(".cell-editor")
  const asksReason = form?.querySelector(".field-error")?.textContent.includes("理由")
  const field = form?.querySelector("[data-keep-theirs]") ?? form?.querySelector(asksReason ? "[name=reason]" : "[data-value]")
  field?.focus()
  field?.select?.()
}

function cancelEdit() {
  if (!editing) return
  const cell = cellAt(editing)
  closeEditor()
  goTo(cell)
}

function closeEditor() {
  editing = null
  editor.hidden = true
  editor.replaceChildren()
  for (const cell of document.querySelectorAll("td.is-edited")) cell.classList.remove("is-edited")
}

document.addEventListener("htmx:afterSwap", ({ target }) => { if (editing && editor.contains(target)) focusField() })
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.closest?.(".cell-editor") || event.target.matches("textarea, button")) return
  event.preventDefault()
  event.target.form.requestSubmit()
})
document.addEventListener("click", (event) => {
  const pressed = (name) => event.target.closest(`[data-${name}]`)
  if (pressed("close-panel")) closePanel()
  else if (pressed("cancel-edit")) cancelEdit()
  else if (pressed("keep-theirs")) { const name = editing; closeEditor(); refresh(name) }
  else if (pressed("cell-history")) openCell(cellAt(editing))
  else if (pressed("edit-cell") && opened) editing ? closePanel() : editCell(cellAt(opened)) // what was typed already stays
})

/** The table anew, with the cell that was written under the hand. */
async function refresh(name) {
  const inner = document.querySelector(".ledger-scroll")
  const place = inner ? [inner.scrollLeft, inner.scrollTop] : [0, 0]
  await htmx.ajax("GET", location.pathname + location.search, { target: "#ledger", swap: "outerHTML" })
  document.querySelector(".ledger-scroll")?.scrollTo(...place)
  goTo(cellAt(name))
}

document.body.addEventListener("cell-written", async ({ detail }) => {
  closeEditor()
  await refresh(detail)
  if (detail.old === undefined) return say("没有变化。")
  if (detail.isUndo) return say(`已撤销：“${detail.heading}”恢复为“${detail.new || "空"}”。`)
  say(`“${detail.heading}”由“${detail.old || "空"}”改为“${detail.new || "空"}”。${detail.remark ?? ""}`, button("撤销", () => undo(detail)))
})

/** A change that takes the last one back. Only what was written then is taken back: of another value the editor tells, with both. */
async function undo({ row, col, old, seen }) {
  document.querySelector(".toast").hidden = true
  closeEditor()
  const values = { row, col, value: old, seen, undo: "1" }
  await htmx.ajax("POST", cellAddress(location.search), { values, target: "#cell-editor", swap: "innerHTML" })
  if (editor.firstElementChild) showEditor({ row, col })
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
    saveAs(await answer.blob(), fileName(answer) ?? "台账.pdf")
    say("PDF 已生成。")
  } catch {
    say("PDF 没有取回：请检查网络后再试。")
  } finally {
    link.ariaBusy = "false"
  }
})

function fileName(answer) {
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
