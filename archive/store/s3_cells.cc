#include "archive/store/s3_cells.h"

#include "archive/format/signed_note.h"

namespace greffe::store {
namespace {

constexpr std::size_t kTokenBytesMax = 128;

}  // namespace

Result<HeldCell> S3Cells::look(const std::string& key) {
  const auto value = client_.get(key, kMaxNoteBytes + kTokenBytesMax);
  if (!value && value.error().code == Errc::not_found) return HeldCell{};
  if (!value) return value.error();
  const std::string_view bytes = as_text(value->bytes);
  const std::size_t line = bytes.find('\n');
  if (line == std::string_view::npos || line > kTokenBytesMax || term_of_token(bytes.substr(0, line)) == 0) {
    return fail(Errc::corrupt, key + " does not begin with a writer's token: it was not written as a head");
  }
  if (value->etag.empty()) return fail(Errc::invalid, "the service gives no ETag for " + key + ", without which heads cannot move");
  return HeldCell{true, std::string(bytes.substr(line + 1)), std::string(bytes.substr(0, line)), value->etag};
}

Status S3Cells::write(const std::string& key, const HeldCell& now, const std::string& text, const std::string& token) {
  const std::string bytes = token + "\n" + text;
  const S3Condition condition{!now.exists, now.version};
  const Status done = client_.put(key, as_bytes(bytes), condition);
  if (done || done.error().code != Errc::conflict) return done;
  // The condition may have failed against this very write, sent a second time over a new connection.
  const auto found = look(key);
  if (!found) return fail(Errc::unavailable, found.error().message);
  return found->exists && found->token == token ? ok() : done;
}

}  // namespace greffe::store
