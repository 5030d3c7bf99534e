// What an officer of an archive does on a machine of his own: makes his key, and signs what is to be declared lost, or that the archive
// goes on at a second site. Nothing here speaks to an archive, and the private key never leaves its file.
#ifndef GREFFE_WEB_OFFICER_VERBS_H
#define GREFFE_WEB_OFFICER_VERBS_H

#include <string>

#include "archive/base/file_system.h"
#include "archive/format/canonical_json.h"

namespace greffe::web {

// A new private key in `path` (mode 0600); its public key. already_exists: a file is there, it is not touched.
Result<std::string> make_officer_key(FileSystem& files, const std::string& path);

// Signs the statement in a file, as `declare-lost` or `promote` printed it, and writes "<name> <base64>" to `out`. The statement, to be
// shown to the officer. invalid: it is none.
Result<std::string> sign_statement(FileSystem& files, const std::string& name, const std::string& key_path, const std::string& statement_path,
                                        const std::string& out);

// Of such a file: {"officer","signature"}. invalid: it is none.
Result<Json> read_officer_signature(FileSystem& files, const std::string& path);

}  // namespace greffe::web

#endif
