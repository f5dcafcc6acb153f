package exampletest

// What the system says: of Plan 9, where no test has run, it is not known.
const FullDiskText, NoFileText, RefusedText, PortInUseText = "", "", "", ""
