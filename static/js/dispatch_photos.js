/* Photos from the camera or from files: sent one after the other with what has gone through; a line that drops is waited for.
   Until they are sent they are only on this page, which is said and guarded. */

if (sheet) {
  const BACK_OFF = [2, 5, 10, 20, 40]
  const queues = new Map() // by project: its list on the page, and what waits

  const make = (tag, words = "", className = "") => Object.assign(document.createElement(tag), { textContent: words, className })
  const waiting = () => [...queues.values()].some(({ items }) => items.length)

  function queueOf(code) {
    if (!queues.has(code)) queues.set(code, { list: make("ul", "", "photo-queue"), items: [], busy: false, tries: 0, timer: 0 })
    const queue = queues.get(code)
    const place = sheet.block(code)?.querySelector("[data-queue]")
    if (place && !place.contains(queue.list)) place.replaceChildren(queue.list)
    return queue
  }

  page.addEventListener("change", ({ target }) => {
    if (!target.matches("[data-photo-input]")) return
    const code = target.closest("[data-block]").dataset.block
    const queue = queueOf(code)
    for (const file of target.files) {
      const row = make("li")
      const item = { file, row, words: make("span", "等待上传"), bar: Object.assign(make("progress"), { max: 1, value: 0 }) }
      row.append(make("span", file.name), item.bar, item.words)
      queue.list.append(row)
      queue.items.push(item)
    }
    target.value = ""
    send(code)
  })

  function send(code) {
    const queue = queueOf(code)
    const item = queue.items[0]
    if (!item || queue.busy) return
    queue.busy = true
    clearTimeout(queue.timer)
    const input = sheet.block(code).querySelector("[data-photo-input]")
    const body = new FormData()
    body.append("photos", item.file)
    const request = new XMLHttpRequest()
    request.open("POST", document.getElementById(input.getAttribute("form")).action)
    request.setRequestHeader("X-CSRFToken", sheet.token())
    request.setRequestHeader("Accept", "application/json")
    request.upload.onprogress = ({ loaded, total }) => {
      item.bar.value = loaded / total
      item.words.textContent = loaded < total ? `已传 ${Math.round(100 * loaded / total)}%` : "正在处理…"
    }
    request.onloadend = () => { queue.busy = false; take(code, queue, item, request) }
    item.words.className = ""
    item.words.textContent = "正在上传…"
    request.send(body)
  }

  function take(code, queue, item, request) {
    const isLogin = request.responseURL && new URL(request.responseURL).pathname.startsWith("/accounts/login")
    if (request.status === 200 && !isLogin) {
      queue.items.shift()
      item.row.remove()
      queue.tries = 0
      const answer = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("[data-photos]")
      sheet.block(code)?.querySelector("[data-photos]")?.replaceWith(answer)
      return send(code)
    }
    if ([413, 422].includes(request.status)) {
      queue.items.shift()
      item.bar.remove()
      item.words.className = "is-bad"
      item.words.textContent = request.status === 422 ? JSON.parse(request.responseText).sentence : "照片过大，服务器没有收：请把相机的分辨率调低。"
      item.row.append(away(item.row))
      return send(code)
    }
    const seconds = BACK_OFF[Math.min(queue.tries++, BACK_OFF.length - 1)]
    const why = isLogin || request.status === 403 ? "登录已过期，请在新页登录" : request.status ? "服务器忙或出错" : "网络已断开"
    item.bar.value = 0
    item.words.className = "is-bad"
    item.words.textContent = `还没有传上去：${why}。${seconds} 秒后再试，请不要关闭本页`
    queue.timer = setTimeout(send, seconds * 1000, code)
  }

  function away(row) {
    const button = make("button", "知道了", "button button-small")
    button.type = "button"
    button.addEventListener("click", () => row.remove())
    return button
  }

  const again = () => { for (const code of queues.keys()) send(code) }
  addEventListener("online", again)
  addEventListener("focus", again)
  addEventListener("beforeunload", (event) => { if (waiting()) event.preventDefault() })
  document.addEventListener("htmx:afterSwap", () => { for (const code of queues.keys()) queueOf(code) })
}
