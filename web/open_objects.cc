#include "web/open_objects.h"

#include "web/sign_in.h"

namespace greffe::web {

http::Response object_response(const http::Request& request, const OpenObject& object) {
  auto response = http::file_response(request, object.file, object.size, object.content_type, object.etag);
  response.set("Cache-Control", "private, max-age=31536000, immutable");
  return response;
}

Digest OpenObjects::key_of(const http::Request& request) {
  return sha256(as_bytes(SignIn::credential(request) + '\n' + request.path));
}

void OpenObjects::keep(const Digest& key, OpenObject object) {
  const std::int64_t now = clock_.monotonic_ms();
  std::map<Digest, Kept> old;  // what is closed is closed after the lock
  const std::lock_guard lock(mutex_);
  for (auto kept = kept_.begin(); kept != kept_.end();) {
    const auto next = std::next(kept);
    if (kept->second.until_ms <= now) old.insert(kept_.extract(kept));
    kept = next;
  }
  if (kept_.size() >= kOpenObjectsMax) old.insert(kept_.extract(kept_.begin()));
  kept_.insert_or_assign(key, Kept{std::move(object), now + kOpenForMs});
}

void OpenObjects::forget() {
  std::map<Digest, Kept> old;  // closed after the lock
  const std::lock_guard lock(mutex_);
  old.swap(kept_);
}

std::optional<OpenObject> OpenObjects::find(const Digest& key) {
  const std::int64_t now = clock_.monotonic_ms();
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(key);
  if (found == kept_.end() || found->second.until_ms <= now) return std::nullopt;
  return found->second.object;
}

}  // namespace greffe::web
