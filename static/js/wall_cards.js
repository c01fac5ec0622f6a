/* The cards of the wall: a part of the server's page, fetched when it is opened, shown beside the maps; its forms are sent
   from there. Opens by click, from a list, by the finder or by the address; Escape closes it and gives the focus back. */
"use strict"

const wallCards = (() => {
  const box = document.querySelector("[data-drawer]"), content = box.querySelector("[data-drawer-content]")
  let from = null // what had the focus before

  const addressOf = (name) => {
    const [kind, key] = name.split(":"), day = wall.dayOf()
    const template = kind === "section" ? document.body.dataset.sectionCard : document.body.dataset.projectCard
    return template.replace("/KEY/", `/${encodeURIComponent(key)}/`).replace("/0/", `/${encodeURIComponent(key)}/`) + (day ? `?as_of=${day}` : "")
  }

  /** Open the card called `name` (`project:LF-001`, `section:3`); `isStep`: the browser's back button closes it. */
  async function open(name, isStep = true) {
    if (box.hidden) from = document.activeElement
    const { state } = wall
    state.card = name
    box.hidden = false
    box.classList.toggle("is-left", name.startsWith("section:") && !state.focus) // its own map stays in sight
    box.setAttribute("aria-busy", "true")
    if (!content.childElementCount) content.replaceChildren(wall.element("p", { class: "sheet-hint" }, "正在读取…"))
    wall.remember(isStep)
    wall.showChosen()
    await fill(name, addressOf(name))
  }

  async function fill(name, address, options = {}) {
    let words
    try {
      const response = await fetch(address, { headers: { "X-Poll": "card" }, redirect: "manual", signal: AbortSignal.timeout(20000), ...options })
      if (wall.state.card !== name) return null // another one was opened meanwhile
      if (response.type !== "opaqueredirect" && [200, 422].includes(response.status)) {
        content.innerHTML = await response.text()
        box.setAttribute("aria-busy", "false")
        content.scrollTop = 0
        content.querySelector(response.status === 422 ? ".fault" : "#card-title")?.focus({ preventScroll: true })
        if (response.status === 422) content.querySelector("[aria-invalid], details[open] input:not([type=hidden])")?.focus()
        return response.status
      }
      words = response.type === "opaqueredirect" ? "登录已过期，请重新登录后再试。" : response.status === 404 ? "这一天还没有它，或不在您的查看范围。" : `服务器回应 ${response.status}，请稍后重试。`
    } catch {
      words = "连不上服务器，请稍后重试；填写的内容仍在。"
    }
    box.setAttribute("aria-busy", "false")
    complain(words, options.method === "POST")
    return null
  }

  /** What went wrong; what was typed stays. */
  function complain(words, keeps) {
    const line = wall.element("p", { class: "fault", role: "alert" }, words)
    content.querySelector("[data-complaint]")?.remove()
    line.dataset.complaint = ""
    if (keeps) content.querySelector("details[open] form")?.prepend(line)
    else content.replaceChildren(line)
  }

  function close(isStep = true) {
    box.hidden = true
    content.replaceChildren()
    wall.state.card = ""
    wall.remember(isStep)
    wall.showChosen()
    if (from?.isConnected) from.focus({ preventScroll: true })
    from = null
  }

  box.querySelector("[data-close]").addEventListener("click", () => close())
  box.addEventListener("click", (event) => {
    if (event.target.closest("[data-cancel]")) event.target.closest("details").open = false
  })

  box.addEventListener("submit", async (event) => {
    event.preventDefault()
    const form = event.target, button = form.querySelector("button:not([type=button])"), name = wall.state.card
    button.disabled = true
    const status = await fill(name, form.action, { method: "POST", body: new FormData(form) })
    button.disabled = false
    if (status === 200) await wall.refresh() // the button turns on every map at once
  })

  /* Escape inside a form closes the form first: what was typed there is not lost with the card. */
  box.addEventListener("keydown", (event) => {
    const opened = event.target.closest("details[open]")
    if (event.key !== "Escape") return
    event.stopPropagation()
    if (opened) { opened.open = false; opened.querySelector("summary").focus() } else close()
  })

  return { open, close }
})()
