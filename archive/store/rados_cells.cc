#include "archive/store/rados_cells.h"

#include <cerrno>

#include "archive/format/signed_note.h"

namespace greffe::store {
namespace {

constexpr const char* kToken = "token";

}  // namespace

Result<HeldCell> RadosCells::look(const std::string& key) {
  librados::bufferlist text;
  librados::bufferlist token;
  int code_of_text = 0;
  int code_of_token = 0;
  librados::ObjectReadOperation operation;
  operation.getxattr(kToken, &token, &code_of_token);
  operation.read(0, kMaxNoteBytes + 1, &text, &code_of_text);
  const int code = send_read(cluster_.logs(), key, operation).wait();
  if (code == -ENOENT) return HeldCell{};
  if (code == -ENODATA) return fail(Errc::corrupt, key + " has no token: it was not written as a head");
  if (code < 0) return error_of_rados(code, "the head " + key + " cannot be read");
  if (text.length() > kMaxNoteBytes) return fail(Errc::corrupt, key + " is larger than any head");
  return HeldCell{true, text.to_str(), token.to_str(), {}};
}

Status RadosCells::write(const std::string& key, const HeldCell& now, const std::string& text, const std::string& token) {
  if (now.text.empty()) {  // a name without its head does no harm; a head without its name could not be listed
    RadosPending name = GREFFE_TRY(index_.add(key));
    const int code = name.wait();
    if (code < 0) return error_of_rados(code, "the name of the head " + key + " cannot be noted");
  }
  librados::ObjectWriteOperation operation;
  if (now.exists) {
    operation.cmpxattr(kToken, LIBRADOS_CMPXATTR_OP_EQ, to_buffer(now.token));
  } else {
    operation.create(true);
  }
  operation.write_full(to_buffer(text));
  operation.setxattr(kToken, to_buffer(token));
  const int code = send_write(cluster_.logs(), key, operation).wait();
  if (code >= 0) return ok();
  if (code == -ECANCELED || code == -EEXIST || code == -ENOENT) return fail(Errc::conflict, "the head " + key + " is another one");
  return error_of_rados(code, "the head " + key + " cannot be written");
}

}  // namespace greffe::store
