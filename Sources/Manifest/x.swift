public import Control
import Wire

