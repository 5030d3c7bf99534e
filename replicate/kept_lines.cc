#include "replicate/kept_lines.h"

#include "archive/format/names.h"

namespace greffe::replicate {

Status keep_lines(store::HeadStore& heads, const std::string& log_path, const SignedCheckpoint& note) {
  for (const NoteSignature& line : note.note.signatures) {
    if (line.name == note.checkpoint.origin) continue;
    const std::string key = cosigned_path(log_path, line.key_id);
    const auto held = heads.read_head(key);
    if (!held && held.error().code != Errc::not_found) return held.error();
    const auto before = held ? parse_signed_checkpoint(*held) : Result<SignedCheckpoint>(held.error());
    if (before && before->checkpoint.size >= note.checkpoint.size) continue;
    GREFFE_TRY(heads.swap_head(key, held ? *held : std::string(), note.note.write()));
  }
  return ok();
}

}  // namespace greffe::replicate
