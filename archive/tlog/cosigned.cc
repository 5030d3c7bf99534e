#include "archive/tlog/cosigned.h"

#include "archive/format/names.h"

namespace greffe::tlog {

Result<SignedCheckpoint> newest_cosigned(store::HeadStore& heads, const std::string& log_path,
                                         const VerifierKey& cosigner) {
  const std::string text = GREFFE_TRY(heads.read_head(cosigned_path(log_path, cosigner.id())));
  return parse_signed_checkpoint(text);
}

Status keep_cosigned(store::HeadStore& heads, const std::string& log_path, const SignedCheckpoint& note,
                     const VerifierKey& cosigner) {
  const std::string key = cosigned_path(log_path, cosigner.id());
  const auto old = heads.read_head(key);
  if (!old && old.error().code != Errc::not_found) return old.error();
  if (old) {
    const SignedCheckpoint before = GREFFE_TRY(parse_signed_checkpoint(*old));
    if (before.checkpoint.size > note.checkpoint.size) return ok();  // an answer that was overtaken
  }
  return heads.swap_head(key, old ? *old : std::string(), note.note.write());
}

}  // namespace greffe::tlog
