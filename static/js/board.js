/* The board of reports: a count-down by the server's clock, a quiet refresh, the chasing list on the clipboard. */

const SECOND = 1000
let serverNow = 0 // the server's time at `heardAt` of this window's steady clock
let heardAt = 0
let asked = "" // the state for which a refresh was asked, so that a moment that passes asks once

function hear(milliseconds) {
  if (!milliseconds) return
  serverNow = Number(milliseconds)
  heardAt = performance.now()
}

/** Where the week stands at `now` and what is counted down to. */
function standing({ opens, deadline, lock }, now) {
  if (now < opens) return { state: "ahead", label: "距开放", left: opens - now }
  if (now <= deadline) return { state: "open", label: "距截止", left: deadline - now }
  if (now < lock) return { state: "late", label: "已截止，距锁定", left: lock - now }
  return { state: "locked", label: "已锁定", left: null }
}

function spelled(left) {
  const seconds = Math.floor(left / SECOND)
  const two = (n) => String(n).padStart(2, "0")
  const days = Math.floor(seconds / 86400)
  const clock = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return days ? `${days}天 ${clock}` : clock
}

function tick() {
  const board = document.getElementById("board")
  const digits = board && board.querySelector("[data-clock-digits]")
  if (!digits) return
  const times = Object.fromEntries(["opens", "deadline", "lock"].map((name) => [name, Number(board.dataset[name])]))
  const { state, label, left } = standing(times, serverNow + performance.now() - heardAt)
  board.querySelector("[data-clock-label]").textContent = label
  if (left !== null) digits.textContent = spelled(left)
  if (state !== board.dataset.state && asked !== state) {
    asked = state
    refresh()
  }
}

function refresh() {
  htmx.trigger("#poll", "refresh")
}

/* ── the part is asked for again, and drawn only when something is new and nothing typed would be lost ── */

function isBusy() {
  const board = document.getElementById("board")
  const typed = [...board.querySelectorAll("[data-typed]")].some((field) => (field.type === "checkbox" ? field.checked : field.value))
  const text = board.querySelector("[data-text]")
  return typed || (text !== null && (text.value !== text.defaultValue || document.activeElement === text))
}

document.addEventListener("htmx:configRequest", (event) => {
  if (event.target.id !== "poll") return
  if (document.hidden) return event.preventDefault()
  event.detail.headers["If-None-Match"] = document.getElementById("board").dataset.etag
  event.detail.headers["X-Poll"] = "1" // nobody asked: it does not prolong the login
})

document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event
  if (detail.target.id !== "board") return
  hear(detail.xhr.getResponseHeader("X-Now"))
  if (detail.xhr.status === 304) {
    detail.shouldSwap = false
    return
  }
  if (!detail.shouldSwap || !isBusy()) return // a login that has ended is told by site.js
  detail.shouldSwap = false
  document.getElementById("board-news").hidden = false
})

let opened = []
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id !== "board" || !detail.shouldSwap) return
  opened = [...document.querySelectorAll("#board details")].map((box) => [box.id || box.className, box.open])
})

document.addEventListener("htmx:load", () => {
  const board = document.getElementById("board")
  if (!board) return
  for (const [name, isOpen] of opened) {
    const box = [...board.querySelectorAll("details")].find((found) => (found.id || found.className) === name)
    if (box) box.open = isOpen
  }
  opened = []
  for (const hidden of board.querySelectorAll("[data-copy-text], [data-pick-all]")) hidden.hidden = false
  hear(board.dataset.now)
  tick()
})

document.addEventListener("visibilitychange", () => { if (!document.hidden && document.getElementById("poll")) refresh() })
setInterval(tick, SECOND)

/* ── what is clicked ── */

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-refresh]")) location.reload()
  const button = event.target.closest("[data-copy-text]")
  if (button) copyText(button)
})

document.addEventListener("change", ({ target }) => {
  if (target.closest("[data-filters]")) target.form.requestSubmit()
  const all = target.closest("[data-pick-all]")
  if (all) for (const box of target.closest("table").querySelectorAll("tbody input[type=checkbox]")) box.checked = target.checked
})

/** On the office's plain http there is no clipboard: the words are selected and copied the old way, or left selected. */
async function copyText(button) {
  const field = document.querySelector(button.dataset.copyText)
  let isCopied = true
  try {
    await navigator.clipboard.writeText(field.value)
  } catch {
    field.focus()
    field.select()
    isCopied = document.execCommand("copy")
    if (isCopied) button.focus()
  }
  button.label ??= button.textContent
  button.textContent = isCopied ? "已复制，可粘贴到群里" : "没有复制成功：文字已选中，请按 Ctrl+C"
  clearTimeout(button.timer)
  button.timer = setTimeout(() => { button.textContent = button.label }, 3000)
}

/* A link to one unit opens it. */
const linked = location.hash.startsWith("#unit-") && document.getElementById(location.hash.slice(1))
if (linked) linked.open = true
