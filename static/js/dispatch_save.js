/* Drafts go to the server by themselves: after a pause, on leaving a project, when the page is left. One request at a time for a
   project; a request that was not answered is sent again word for word until it is, so that it counts once (services.save_dispatch).
   Every save is one event of the trail, so saves of one project keep their distance: a project that is typed in one go makes one. */

if (sheet) {
  const PAUSE = 4000 // milliseconds without a key
  const APART = 20000 // between two saves of one project, unless it is left
  const AFTER_RESTORE = 15000 // time to say “do not restore”
  const WAIT = 20000 // for an answer
  const BACK_OFF = [2, 4, 8, 15, 30, 60] // seconds before a request is sent again
  const codes = new Map()
  htmx.config.timeout = WAIT

  /** What is known of a project: `frozen` = sent and not answered, `wish` = the button that waits for the line. */
  function of(code) {
    if (!codes.has(code)) codes.set(code, { timer: 0, busy: null, frozen: null, tries: 0, last: 0, wish: null, posted: null, answered: null })
    return codes.get(code)
  }

  /* ── what the page says ── */
  function tell(code, words, level = "", link = null) {
    const place = sheet.block(code)?.querySelector("[data-save-state]")
    if (!place) return
    place.className = `save-state${level ? ` is-${level}` : ""}`
    place.replaceChildren(words, ...(link ? [link] : []))
    sum()
  }

  function sum() {
    const box = document.querySelector("[data-unsaved]")
    const waiting = sheet.blocks().filter((block) => sheet.isTouched(block) || of(block.dataset.block).frozen)
    if (!box) return
    box.hidden = !waiting.length
    box.textContent = `${waiting.length} 项未存，保留在本机`
  }

  function loginLink() {
    const link = document.createElement("a")
    link.href = "/accounts/login/"
    link.target = "_blank"
    link.textContent = "在新页登录"
    link.dataset.expired = ""
    return link
  }

  const now = () => new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false })

  /* ── when ── */
  function schedule(code, delay) {
    const state = of(code)
    clearTimeout(state.timer)
    state.timer = setTimeout(flush, Math.max(delay, state.last + APART - Date.now(), 0), code)
  }

  page.addEventListener("input", ({ target }) => {
    const block = target.closest("[data-block]")
    if (!block || !target.closest("[data-cell]")) return
    const code = block.dataset.block
    const state = of(code)
    if (state.wish) state.wish = null // what was asked for was another content
    if (state.frozen) { sheet.store.put(block, state.frozen.values); sum(); return } // after the answer comes the next
    if (!sheet.isTouched(block)) { clearTimeout(state.timer); tell(code, ""); return }
    tell(code, sheet.store.put(block) ? "未保存，保留在本机" : "未保存：浏览器不许保留，请不要关闭页面", "waiting")
    schedule(code, PAUSE)
  })

  page.addEventListener("focusout", ({ target, relatedTarget }) => {
    const block = target.closest("[data-block]")
    if (!block || block.contains(relatedTarget) || !relatedTarget || !page.contains(relatedTarget)) return
    if (sheet.isTouched(block)) flush(block.dataset.block)
  })
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") sheet.blocks().filter(sheet.isTouched).forEach((b) => flush(b.dataset.block, true))
    else again()
  })
  addEventListener("online", again)
  addEventListener("focus", again)
  addEventListener("pageshow", again)
  addEventListener("beforeunload", (event) => {
    const lost = sheet.blocks().some((block) => sheet.isTouched(block) && !sheet.store.get(block))
    if (lost && !sheet.isLeaving) event.preventDefault()
  })
  page.addEventListener("submit", () => { sheet.isLeaving = true })

  /** Whatever waits is tried at once: the line is back, or somebody logged in elsewhere. */
  function again() { for (const [code, state] of codes) if (state.frozen && !state.busy) flush(code) }

  /* ── how ── */
  function freeze(block) {
    const body = new URLSearchParams()
    body.append(`${block.dataset.block}-version`, block.querySelector(`input[name$="-version"]`).value)
    for (const input of sheet.inputs(block)) body.append(input.name, input.value)
    for (const pick of block.querySelectorAll(".pick input:checked")) body.append(pick.name, pick.value)
    return { body: body.toString(), values: Object.fromEntries(sheet.inputs(block).map((i) => [i.name, i.value])) }
  }

  /** Send what is typed, or once more what was not answered; true when the server has it. */
  function flush(code, isLeaving = false) {
    const state = of(code)
    clearTimeout(state.timer)
    if (state.busy) return state.busy
    const block = sheet.block(code)
    if (!block) return Promise.resolve(false)
    if (!state.frozen) {
      if (!sheet.isTouched(block)) return Promise.resolve(true)
      state.frozen = freeze(block)
      sheet.store.put(block, state.frozen.values)
    }
    state.busy = send(code, state, isLeaving).finally(() => { state.busy = null })
    return state.busy.then((done) => { settle(code, done); return done })
  }
  sheet.flush = flush

  async function send(code, state, isLeaving) {
    const address = sheet.block(code).dataset.autosave
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), WAIT)
    tell(code, "正在保存…")
    try {
      const headers = { "X-CSRFToken": sheet.token(), "X-Person": sheet.person, "Content-Type": "application/x-www-form-urlencoded" }
      const answer = await fetch(address, { method: "POST", body: state.frozen.body, headers, signal: abort.signal, keepalive: isLeaving })
      return await take(code, state, answer)
    } catch {
      return later(code, state, navigator.onLine ? "连不上服务器" : "网络已断开")
    } finally {
      clearTimeout(timer)
    }
  }

  /** Read the answer; true when what was sent is on the server. */
  async function take(code, state, answer) {
    const isJson = (answer.headers.get("Content-Type") ?? "").startsWith("application/json")
    if (answer.redirected || (answer.status === 403 && !isJson)) {
      retry(code, state)
      tell(code, "登录已过期，未保存，填写的都保留在本机。请", "bad", loginLink())
      return false
    }
    if (answer.status >= 500 || answer.status === 429) return later(code, state, "服务器忙或出错")
    state.tries = 0
    const said = isJson ? await answer.json() : {}
    const { values } = state.frozen
    state.frozen = null
    if (answer.ok) return receive(code, said, values)
    if (answer.status === 409) return ask(code)
    state.wish = null
    tell(code, `未保存，保留在本机：${said.sentence ?? "这一周已不由您填报，或页面已旧，请刷新。"}`, "bad")
    return false
  }

  function later(code, state, why) {
    const seconds = retry(code, state)
    const wish = state.wish ? "，恢复后自动提交" : ""
    tell(code, `${why}，未保存，保留在本机；${seconds} 秒后再试${wish}`, "bad")
    return false
  }

  function retry(code, state) {
    const seconds = BACK_OFF[Math.min(state.tries, BACK_OFF.length - 1)]
    state.tries += 1
    clearTimeout(state.timer)
    state.timer = setTimeout(flush, seconds * 1000, code)
    return seconds
  }

  /** The server has it: what the page shows as saved is what the server says. */
  function receive(code, said, sent) {
    const block = sheet.block(code)
    const state = of(code)
    state.last = Date.now()
    state.answered = sent
    block.querySelector(`input[name$="-version"]`).value = block.dataset.edit = said.version
    block.dataset.state = said.state ?? "none"
    for (const input of sheet.inputs(block)) {
      if (input.name in said.unread) continue
      const value = said.values[input.name] ?? ""
      const isAsSent = input.value === sent[input.name]
      if (isAsSent && input !== document.activeElement) input.value = value
      input.defaultValue = isAsSent && input === document.activeElement ? input.value : value
    }
    block.classList.toggle("is-draft", said.state === "draft")
    if (said.state === "draft") block.classList.remove("is-missing", "is-done")
    if (said.state) block.querySelector("[data-same]")?.remove()
    const discard = block.querySelector("[data-discard]")
    if (discard) discard.hidden = said.state !== "draft"
    block.querySelector(".block-badges").replaceChildren(...said.badges.map(([words, level]) => {
      const badge = document.createElement("span")
      badge.className = `badge badge-${level}`
      badge.textContent = words
      return badge
    }))
    sheet.settle(block)
    sheet.store.put(block)
    const unread = Object.keys(said.unread).length
    const done = said.state === "draft" ? `已自动保存 ${now()}` : "与已提交的相同"
    if (unread) tell(code, `${done}；有 ${unread} 处看不懂，没有存，保留在本机：请改正标出的格`, "waiting")
    else tell(code, done, "ok")
    page.dispatchEvent(new CustomEvent("sheet:saved", { detail: { block } }))
    return true
  }

  /** Two people changed the same cells: the block comes back with both values, to choose from. */
  function ask(code) {
    const block = sheet.block(code)
    tell(code, "他人也改了这个项目，请选择", "bad")
    const focused = document.activeElement?.name
    document.addEventListener("htmx:afterSwap", () => {
      const again = focused && sheet.block(code)?.querySelector(`[name="${CSS.escape(focused)}"]`)
      if (again) again.focus()
      tell(code, "他人也改了这个项目：请在标出处选择，再保存", "bad")
    }, { once: true })
    setTimeout(() => sheet.block(code)?.querySelector("button[value^='save:']").click()) // when this request is no longer under way
    return false
  }

  /** After an answer: what was typed meanwhile, and the button that waited. */
  function settle(code, done) {
    const state = of(code)
    const block = sheet.block(code)
    sum()
    if (!done || !block) return
    const wish = state.wish
    state.wish = null
    if (wish && block.dataset.state !== "draft") return refresh(block)
    if (wish) return (block.querySelector(`button[value="${wish}:${code}"]`) ?? block.querySelector("[data-submit]")).click()
    const isNew = (input) => input.value !== sheet.initial(input) && input.value !== state.answered?.[input.name] // not what was not understood
    if (sheet.inputs(block).some(isNew)) schedule(code, PAUSE)
  }

  /** It was handed in already, only the answer was lost: show what stands. */
  function refresh(block) {
    htmx.ajax("GET", block.querySelector("[data-submit]").getAttribute("hx-post"), { source: block, target: block, swap: "outerHTML" })
  }

  /* ── the buttons wait until what was sent is answered, and for the line ── */
  document.addEventListener("htmx:confirm", (event) => {
    const { elt, question, issueRequest } = event.detail
    const block = elt.closest("[data-block]")
    if (!block || !elt.matches("button")) return
    const code = block.dataset.block
    const state = of(code)
    clearTimeout(state.timer)
    if (!state.busy && !state.frozen) return
    event.preventDefault()
    if (question && !window.confirm(question)) return
    const verb = elt.value.split(":")[0]
    flush(code).then((done) => {
      if (done) (elt.isConnected ? issueRequest(true) : sheet.block(code)?.querySelector(`button[value="${elt.value}"]`)?.click())
      else if (of(code).frozen && verb !== "discard") {
        state.wish = verb
        tell(code, `连不上服务器，还没有${verb === "save" ? "保存" : "提交"}；填写的保留在本机，恢复后自动${verb === "save" ? "保存" : "提交"}`, "bad")
      }
    })
  })
  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    const block = detail.elt.closest("[data-block]")
    if (block && detail.elt.matches("button")) of(block.dataset.block).posted = freeze(block)
  })
  for (const kind of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(kind, ({ detail }) => {
      const block = detail.elt.closest("[data-block]")
      if (!block || !detail.elt.matches("button")) return
      const status = detail.xhr?.status ?? 0
      const verb = detail.elt.value.split(":")[0]
      if (verb === "discard" || (status && status < 500)) {
        tell(block.dataset.block, "没有完成，填写的都还在：请刷新页面或重新登录后再试", "bad", status === 403 ? loginLink() : null)
        return
      }
      const state = of(block.dataset.block) // it may have arrived: the same words once more will tell
      state.frozen = state.posted
      state.wish = verb
      later(block.dataset.block, state, navigator.onLine ? "连不上服务器" : "网络已断开")
    })
  }
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const block = detail.target.closest("[data-block]")
    if (!block) return
    if (detail.xhr.status !== 403 && !new URL(detail.xhr.responseURL).pathname.startsWith("/accounts/login")) return
    detail.shouldSwap = detail.isError = false
    const state = of(block.dataset.block)
    const verb = detail.requestConfig.elt.value?.split(":")[0]
    if (verb && verb !== "discard") [state.frozen, state.wish] = [state.posted, verb]
    tell(block.dataset.block, "登录已过期，尚未保存。您填的都还在：登录后会自动继续。请", "bad", loginLink())
    retry(block.dataset.block, state)
  })
  page.addEventListener("sheet:receipt", ({ detail }) => {
    const state = of(detail.block.dataset.block)
    Object.assign(state, { frozen: null, wish: null, tries: 0 })
    clearTimeout(state.timer)
    sum()
  })

  /* ── the time that is left, told as it passes ── */
  const bar = () => document.querySelector("[data-left]")
  const loadedAt = Date.now()
  setInterval(() => {
    const place = bar()
    if (!place) return
    const gone = (Date.now() - loadedAt) / 1000
    const [left, lock] = [place.dataset.left - gone, place.dataset.lock - gone]
    if (place.dataset.state === "ahead") return
    place.classList.toggle("is-over", left <= 0)
    const hours = Math.floor(left / 3600)
    const long = hours >= 24 ? `${Math.floor(hours / 24)} 天 ${hours % 24} 小时` : `${hours} 小时 ${Math.floor(left % 3600 / 60)} 分`
    place.querySelector("[data-left-words]").textContent =
      left > 0 ? `还有 ${long}` : lock > 0 ? "已过，提交记为迟报" : "已锁定，补报或更正须写明理由"
    if (lock <= 0) sheet.blocks().forEach((block) => { if (block.open && block.dataset.state !== "submitted") block.querySelector(".block-reason").open = true })
  }, 10000)

  for (const code of sheet.restored) {
    tell(code, "已恢复，未保存，保留在本机", "waiting")
    schedule(code, AFTER_RESTORE)
  }
  sum()
}
