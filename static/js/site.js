/* Small habits of every page: the as-of date navigates at once, a failed htmx request says so, a login warns before it ends. */

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-as-of]")
  if (!form) return
  const address = new URL(location.href)
  address.searchParams.set("as_of", event.target.value)
  if (!event.target.value || event.target.value === event.target.max) address.searchParams.delete("as_of")
  address.searchParams.delete("page")
  location.assign(address)
})

/* A message that something was saved ends the draft that was kept of it on this machine. */
for (const message of document.querySelectorAll("[data-ends-draft]")) {
  try { localStorage.removeItem(message.dataset.endsDraft) } catch { /* nothing was kept */ }
}

/* A search box that is left says "change" once more after its typing was answered: asking again would only close a menu that opened meanwhile. */
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, pathInfo, requestConfig } = event.detail
  const cause = requestConfig.triggeringEvent
  if (!elt.matches("form[role=search]") || !cause || cause.type !== "change" || cause.target.name !== "q") return
  if (pathInfo.finalRequestPath === location.pathname + location.search) event.preventDefault()
})

/* A request that was led to the login page must not be drawn into the table it was meant for. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail
  if (!xhr.responseURL || !new URL(xhr.responseURL).pathname.startsWith("/accounts/login/")) return
  event.detail.shouldSwap = false
  sayExpired()
})

for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(kind, ({ detail }) => {
    if (detail.elt.closest("[data-tells-itself]")) return
    const status = detail.xhr ? detail.xhr.status : 0
    say(status === 403 ? "登录已过期或没有权限，请刷新页面重新登录。" : "没有完成：连不上服务器或服务器出错，请稍后重试。")
  })
}

/** Show `text` as a notice at the foot of the window for some seconds, or until it is answered when it has an `action`. */
function say(text, action) {
  let box = document.querySelector(".toast")
  if (!box) {
    box = document.createElement("div")
    box.className = "toast"
    box.setAttribute("role", "alert")
    document.body.append(box)
  }
  box.replaceChildren(text, ...(action ? [action] : []))
  box.hidden = false
  clearTimeout(box.timer)
  if (!action) box.timer = setTimeout(() => { box.hidden = true }, 8000)
}

/* ── the login's end: warned of ten minutes before, prolonged by one click, and when it has come nothing on the page is lost ── */
const WARN_BEFORE = 600 // seconds
let endsAt = document.body.dataset.sessionLeft ? Date.now() + 1000 * Number(document.body.dataset.sessionLeft) : null
let isWarned = false

if (endsAt) setInterval(watchLogin, 15000)

function watchLogin() {
  if (!endsAt) return
  const left = Math.round((endsAt - Date.now()) / 1000)
  if (left <= 0) sayExpired()
  else if (left < WARN_BEFORE && !isWarned) {
    isWarned = true
    say(`登录将在 ${Math.ceil(left / 60)} 分钟后过期。`, button("继续使用", stay))
  }
}

/** Prolong the login; another window may have done so already, the answer tells. */
async function stay() {
  try {
    const answer = await fetch("/accounts/stay/", { headers: { Accept: "application/json" } })
    if (answer.redirected || !answer.ok) return sayExpired()
    endsAt = Date.now() + 1000 * (await answer.json()).left
    isWarned = false
    say("登录已延长。")
  } catch {
    isWarned = false // offline: ask again
    say("连不上服务器，登录未能延长，稍后会再提醒。")
  }
}

function sayExpired() {
  const link = document.createElement("a")
  link.href = "/accounts/login/"
  link.target = "_blank"
  link.textContent = "在新窗口登录"
  endsAt = null
  say("登录已过期。本页填写的内容还在，请不要关闭：登录后回到本页继续。", link)
}

function button(text, act) {
  const found = document.createElement("button")
  found.type = "button"
  found.textContent = text
  found.addEventListener("click", act)
  return found
}

/* Whoever logs out leaves nothing on this machine; what no server has yet is asked about first. */
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-logs-out]")) return
  try {
    const own = Object.keys(localStorage).filter((key) => key.startsWith(`dispatch:${document.body.dataset.person}:`))
    const codes = [...new Set(own.map((key) => key.split(":").at(-1)))]
    const question = `还有 ${own.length} 项填写没有存到服务器（${codes.join("、")}）。现在退出，这台电脑上的这些内容会被清除。确定退出吗？`
    if (own.length && !window.confirm(question)) return event.preventDefault()
    document.body.dataset.leaves = "" // from here on nothing is kept again (dispatch.js)
    own.forEach((key) => localStorage.removeItem(key))
  } catch { /* nothing is kept here */ }
})

/* A form that cannot be taken back asks first: <form data-confirm="…">. */
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm
  if (question && !window.confirm(question)) event.preventDefault()
})

/* Print what is on the page: <button data-print>. */
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print()
})
