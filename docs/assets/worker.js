// Lets the search run when the site is opened as a file: browsers start no workers there, so the script of the worker
// runs in a hidden frame instead. Over http nothing changes.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.onmessage = null
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.appendChild(this.frame)
      const inner = this.frame.contentWindow
      const script = inner.document.createElement("script")
      this.ready = new Promise(resolve => (script.onload = resolve))
      // Messages arrive later, never within the call that sends them, and as copies, as between workers.
      this.send = data =>
        setTimeout(() => {
          if (this.frame.isConnected) {
            inner.dispatchEvent(new MessageEvent("message", { data: inner.structuredClone(data) }))
          }
        })
      inner.postMessage = data =>
        setTimeout(() => {
          const event = new MessageEvent("message", { data: structuredClone(data) })
          this.dispatchEvent(event)
          this.onmessage?.(event)
        })
      script.src = url
      script.onerror = () => this.onerror?.(new Event("error", { cancelable: true }))
      inner.document.body.appendChild(script)
    }

    postMessage(data) {
      this.ready.then(() => this.send(data))
    }

    terminate() {
      this.frame.remove()
    }
  }
}
